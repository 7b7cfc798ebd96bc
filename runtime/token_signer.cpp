#include "runtime/token_signer.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/random.h>

namespace cweb::runtime {
namespace {

constexpr size_t mac_bytes = 32;

void encode(const std::array<unsigned char, mac_bytes>& mac, TokenSigner::Signature& out) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t byte = i * 6 / 8, bit = i * 6 % 8;
    const unsigned pair = mac[byte] * 256U + (byte + 1 < mac.size() ? mac[byte + 1] : 0U);
    out[i] = letters[(pair >> (10 - bit)) & 63U];
  }
}

}  // namespace

struct TokenSigner::OpenSsl {
  OSSL_LIB_CTX* library = nullptr;
  EVP_MAC* hmac = nullptr;
  EVP_MAC_CTX* keyed = nullptr;  ///< copied for each signature, and never changed
  ~OpenSsl() {
    EVP_MAC_CTX_free(keyed);
    EVP_MAC_free(hmac);
    OSSL_LIB_CTX_free(library);
  }
};

TokenSigner::TokenSigner(std::unique_ptr<OpenSsl> open_ssl) : open_ssl_(std::move(open_ssl)) {}
TokenSigner::~TokenSigner() = default;

Expected<std::unique_ptr<TokenSigner>> TokenSigner::create(const Key& key) {
  auto made = std::make_unique<OpenSsl>();
  made->library = OSSL_LIB_CTX_new();
  if (made->library != nullptr) made->hmac = EVP_MAC_fetch(made->library, "HMAC", nullptr);
  if (made->hmac != nullptr) made->keyed = EVP_MAC_CTX_new(made->hmac);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (made->keyed == nullptr || EVP_MAC_init(made->keyed, key.data(), key.size(), parameters) != 1) {
    return fail("OpenSSL has no HMAC-SHA256 to sign tokens with");
  }
  return std::unique_ptr<TokenSigner>(new TokenSigner(std::move(made)));
}

Expected<TokenSigner::Key> TokenSigner::make_key() {
  Key key{};
  if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return fail("the system gives no random numbers for the key that tokens are signed with");
  }
  return key;
}

bool TokenSigner::sign(std::string_view text, Signature& signature) const {
  EVP_MAC_CTX* const context = EVP_MAC_CTX_dup(open_ssl_->keyed);
  std::array<unsigned char, mac_bytes> mac{};
  size_t length = 0;
  const bool is_signed =
      context != nullptr &&
      EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
      EVP_MAC_final(context, mac.data(), &length, mac.size()) == 1 && length == mac.size();
  EVP_MAC_CTX_free(context);
  if (is_signed) encode(mac, signature);
  return is_signed;
}

bool TokenSigner::verify(std::string_view signature, std::string_view text) const {
  Signature right{};
  return signature.size() == right.size() && sign(text, right) &&
         CRYPTO_memcmp(signature.data(), right.data(), right.size()) == 0;
}

}  // namespace cweb::runtime
