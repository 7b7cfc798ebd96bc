// What all connections of one certificate share: protocol, ciphers, certificate, key, ticket keys. Immutable once made,
// so loops use it without a lock; a new certificate is a new context, and connections keep the one they began with.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/tls_certificate.h"
#include "net/tls_ticket_keys.h"

namespace cweb::net {

/// Algorithms, random numbers and locks of OpenSSL that are this server's alone: modules use the library too, and one
/// that was stopped in the middle of it, or has set it up anew, must not matter here.
struct FreeLibrary {
  void operator()(OSSL_LIB_CTX* library) const;
};
using TlsLibrary = std::unique_ptr<OSSL_LIB_CTX, FreeLibrary>;
TlsLibrary make_tls_library();

struct FreeContext {
  void operator()(SSL_CTX* context) const;
};

class TlsContext {
 public:
  /// `library` outlives the context. Fails with a sentence that names the file where a file is the reason.
  static Expected<std::shared_ptr<const TlsContext>> create(OSSL_LIB_CTX* library, const CertificateFiles& files);

  SSL_CTX* get() const { return context_.get(); }
  const std::string& fingerprint() const { return fingerprint_; }
  int64_t not_after() const { return not_after_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  explicit TlsContext(OSSL_LIB_CTX* library) : ticket_keys_(library) {}
  Expected<void> set_up(OSSL_LIB_CTX* library);
  Expected<void> use(const Certificate& certificate, const CertificateFiles& files);

  /// Outlives context_, and connections hold this whole object. Of this certificate alone: after a change everybody's
  /// next connection gets to see the new one.
  TicketKeys ticket_keys_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::string fingerprint_;
  int64_t not_after_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace cweb::net
