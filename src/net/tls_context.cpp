#include "net/tls_context.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

namespace cweb::net {
namespace {

/// For TLS 1.2: a key of each session's own, and authenticated encryption; nothing else. TLS 1.3 has only such.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";
/// RSA keys of 2048 bits, SHA-256: what clients refuse to go below.
constexpr int security_level = 2;
constexpr long session_seconds = TicketKeys::lifetime_ms / 1000;
/// A ticket of another server, or of another use of the same keys, is none here.
constexpr std::string_view session_context = "cweb";

int set_up_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                  int sealing) {
  auto* const keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return keys->set_up(name, iv, cipher, mac, sealing != 0);
}

/// RFC 7301, 3.2: a client that names protocols and not ours is told so, instead of being misunderstood.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
  constexpr std::string_view http11 = "http/1.1";
  for (unsigned int at = 0; at < offered_length;) {
    const unsigned int size = offered[at];
    if (at + 1 + size > offered_length) break;
    if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), size) == http11) {
      *chosen = offered + at + 1;
      *length = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + size;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// Whose certificate the client gets. There is one, for whatever name was asked for; several would be chosen from here
/// with SSL_set_SSL_CTX().
int choose_certificate(SSL*, int*, void*) {
  return SSL_TLSEXT_ERR_OK;
}

void set_modes(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  // The end of the stream without a word is an error: what was cut off must not look complete.
  SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  // The output may grow and move between two attempts to write it. A connection at rest keeps no buffer.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A peer that sends key updates without end has to come back to the transport, which counts them.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  // One system call for head and body of a record, and for as many records as there are.
  SSL_CTX_set_read_ahead(context, 1);
}

}  // namespace

void FreeLibrary::operator()(OSSL_LIB_CTX* library) const {
  OSSL_LIB_CTX_free(library);
}

TlsLibrary make_tls_library() {
  TlsLibrary library(OSSL_LIB_CTX_new());
  CWEB_ASSERT(library != nullptr);
  return library;
}

void FreeContext::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

Expected<std::shared_ptr<const TlsContext>> TlsContext::create(OSSL_LIB_CTX* library, const CertificateFiles& files) {
  const auto certificate = read_certificate(library, files);
  if (!certificate) return std::unexpected(certificate.error());
  const std::shared_ptr<TlsContext> context(new TlsContext(library));
  if (auto done = context->set_up(library); !done) return std::unexpected(done.error());
  if (auto used = context->use(*certificate, files); !used) return std::unexpected(used.error());
  context->fingerprint_ = certificate->fingerprint;
  context->not_after_ = certificate->not_after;
  context->warnings_ = certificate->warnings;
  return context;
}

Expected<void> TlsContext::set_up(OSSL_LIB_CTX* library) {
  context_.reset(SSL_CTX_new_ex(library, nullptr, TLS_server_method()));
  SSL_CTX* const context = context_.get();
  if (context == nullptr) return fail("TLS could not be set up: " + openssl_reason());
  SSL_CTX_set_security_level(context, security_level);
  const bool done =
      SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(context, tls12_ciphers) == 1 && SSL_CTX_set1_groups_list(context, groups) == 1 &&
      SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_context.data()),
                                     session_context.size()) == 1;
  if (!done) return fail("TLS could not be set up: " + openssl_reason());
  set_modes(context);
  // Sessions are the client's to keep, in sealed tickets: nothing here grows with their number.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, session_seconds);
  SSL_CTX_set_app_data(context, &ticket_keys_);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, set_up_ticket);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  return {};
}

Expected<void> TlsContext::use(const Certificate& certificate, const CertificateFiles& files) {
  SSL_CTX* const context = context_.get();
  if (SSL_CTX_use_certificate(context, certificate.leaf.get()) != 1) {
    const unsigned long error = ERR_peek_last_error();
    const bool is_short = ERR_GET_REASON(error) == SSL_R_EE_KEY_TOO_SMALL;
    const std::string reason = openssl_reason();
    if (is_short) {
      return fail("the key of the certificate in " + files.certificate +
                  " is too short for TLS: RSA needs 2048 bits or more, an elliptic curve 224");
    }
    return fail("the certificate in " + files.certificate + " cannot be used: " + reason);
  }
  for (const auto& signer : certificate.chain) {
    if (SSL_CTX_add1_chain_cert(context, signer.get()) == 1) continue;
    return fail("a further certificate in " + files.certificate + " cannot be used: " + openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey(context, certificate.key.get()) != 1) {
    return fail("the private key in " + files.key + " cannot be used: " + openssl_reason());
  }
  return {};
}

}  // namespace cweb::net
