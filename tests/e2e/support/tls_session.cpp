#include "tls_session.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include "pace.h"

namespace cweb::e2e {
namespace {

std::string wire_format(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) wire.append(1, static_cast<char>(protocol.size())).append(protocol);
  return wire;
}

void bound_waits(int fd) {
  const timeval time{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(patience).count(), .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

}  // namespace

void FreeTlsTicket::operator()(SSL_SESSION* session) const {
  SSL_SESSION_free(session);
}

TlsSession::TlsSession(const TlsWish& wish)
    : context_(SSL_CTX_new(TLS_client_method())), segment_bytes_(wish.segment_bytes) {
  if (wish.version != 0) {
    SSL_CTX_set_min_proto_version(context_, wish.version);
    SSL_CTX_set_max_proto_version(context_, wish.version);
  }
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  // What the server refuses has to be offered first.
  SSL_CTX_set_security_level(context_, 0);
  if (!wish.ciphers.empty()) {
    EXPECT_EQ(SSL_CTX_set_cipher_list(context_, wish.ciphers.c_str()), 1) << wish.ciphers;
  }
  ssl_ = SSL_new(context_);
  SSL_set_tlsext_host_name(ssl_, "localhost");
  if (const std::string wire = wire_format(wish.protocols); !wire.empty()) {
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(wire.data()), static_cast<unsigned>(wire.size()));
  }
  if (wish.resumes != nullptr) SSL_set_session(ssl_, wish.resumes);
}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

bool TlsSession::fail_with_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  failure_ = reason == nullptr ? "the connection ended" : reason;
  ERR_clear_error();
  return false;
}

bool TlsSession::shake_hands(int fd) {
  ERR_clear_error();
  bound_waits(fd);
  if (segment_bytes_ > 0) return shake_hands_in_segments(fd);
  SSL_set_fd(ssl_, fd);
  return SSL_connect(ssl_) == 1 || fail_with_reason();
}

bool TlsSession::shake_hands_in_segments(int fd) {
  BIO* const output = BIO_new(BIO_s_mem());
  BIO* const input = BIO_new_socket(fd, BIO_NOCLOSE);
  SSL_set_bio(ssl_, input, output);
  SSL_set_connect_state(ssl_);
  char segment[4096];
  const int size = static_cast<int>(std::min(segment_bytes_, sizeof segment));
  const auto flush = [&] {
    for (int count = 0; (count = BIO_read(output, segment, size)) > 0;) {
      if (::send(fd, segment, static_cast<size_t>(count), MSG_NOSIGNAL) != count) return false;
    }
    return true;
  };
  // The input blocks: who waits for it has sent what it has, but for what the memory holds.
  BIO_set_mem_eof_return(output, -1);
  for (;;) {
    timeval at_once{.tv_sec = 0, .tv_usec = 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &at_once, sizeof at_once);
    const int result = SSL_do_handshake(ssl_);
    if (!flush()) return fail_with_reason();
    if (result == 1) break;
    if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) return fail_with_reason();
  }
  bound_waits(fd);
  SSL_set_fd(ssl_, fd);
  return true;
}

bool TlsSession::send(std::string_view bytes) {
  ERR_clear_error();
  return bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

ssize_t TlsSession::read(char* into, size_t size) {
  ERR_clear_error();
  const int count = SSL_read(ssl_, into, static_cast<int>(size));
  if (count > 0) return count;
  return SSL_get_error(ssl_, count) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

void TlsSession::say_goodbye() {
  SSL_shutdown(ssl_);
}

bool TlsSession::ask_for_new_keys() {
  ERR_clear_error();
  if (SSL_version(ssl_) == TLS1_3_VERSION) {
    return SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl_) == 1;
  }
  return SSL_renegotiate(ssl_) == 1 && SSL_do_handshake(ssl_) == 1;
}

std::string TlsSession::version() const {
  return SSL_get_version(ssl_);
}

std::string TlsSession::cipher() const {
  return SSL_get_cipher_name(ssl_);
}

std::string TlsSession::protocol() const {
  const unsigned char* data = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_, &data, &length);
  return {reinterpret_cast<const char*>(data), length};
}

std::string TlsSession::common_name() const {
  X509* const certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  X509_free(certificate);
  return name;
}

bool TlsSession::was_resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

TlsTicket TlsSession::ticket() const {
  return TlsTicket(SSL_get1_session(ssl_));
}

}  // namespace cweb::e2e
