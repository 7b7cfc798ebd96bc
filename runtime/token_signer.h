// Signatures of texts with a key of the server's: what login cookies are made of.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace cweb::runtime {

/// Thread-safe. Has an OpenSSL of its own (OSSL_LIB_CTX), because a module may be stopped in the middle of the one that
/// modules share.
class TokenSigner {
 public:
  using Key = std::array<unsigned char, 32>;
  /// HMAC-SHA256 in base64url, without padding.
  static constexpr size_t signature_length = 43;
  using Signature = std::array<char, signature_length>;

  static Expected<std::unique_ptr<TokenSigner>> create(const Key& key);
  /// Fails where the system gives no random numbers.
  static Expected<Key> make_key();
  ~TokenSigner();
  TokenSigner(const TokenSigner&) = delete;
  TokenSigner& operator=(const TokenSigner&) = delete;

  /// False when OpenSSL is out of memory.
  bool sign(std::string_view text, Signature& signature) const;
  /// Takes as long for a signature that is almost right as for any other.
  bool verify(std::string_view signature, std::string_view text) const;

 private:
  struct OpenSsl;
  explicit TokenSigner(std::unique_ptr<OpenSsl> open_ssl);
  const std::unique_ptr<OpenSsl> open_ssl_;
};

}  // namespace cweb::runtime
