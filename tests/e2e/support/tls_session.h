// The client's end of TLS, for RawClient: OpenSSL on a blocking socket, with a bound on every wait.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cweb::e2e {

struct FreeTlsTicket {
  void operator()(SSL_SESSION* session) const;
};
/// What a client may go on with in its next connection.
using TlsTicket = std::unique_ptr<SSL_SESSION, FreeTlsTicket>;

struct TlsWish {
  int version = 0;                          ///< 0x0303 for TLS 1.2, 0x0304 for 1.3; 0: whichever the two agree on
  std::string ciphers = {};                 ///< of TLS 1.2, as OpenSSL writes them; empty: its usual ones
  std::vector<std::string> protocols = {};  ///< of ALPN, in order; none: it is not asked
  SSL_SESSION* resumes = nullptr;
  size_t segment_bytes = 0;  ///< the handshake's bytes leave in segments of this size; 0: as they come
};

/// Of one connection. The certificate is taken for good whoever signed it.
class TlsSession {
 public:
  explicit TlsSession(const TlsWish& wish);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// On a connected socket, which is the caller's. False when the server does not agree; failure() says why.
  bool shake_hands(int fd);
  const std::string& failure() const { return failure_; }

  bool send(std::string_view bytes);
  /// How many there were; 0 at the end in order (close_notify), -1 when it ended in another way, or time is over.
  ssize_t read(char* into, size_t size);
  /// Says that nothing more will be sent; the connection stays open.
  void say_goodbye();
  /// Asks for new keys: TLS 1.3's key update, or in TLS 1.2 another handshake. False when it cannot be sent.
  bool ask_for_new_keys();

  std::string version() const;      ///< "TLSv1.3"
  std::string cipher() const;       ///< "TLS_AES_256_GCM_SHA384"
  std::string protocol() const;     ///< of ALPN; empty when none was agreed on
  std::string common_name() const;  ///< of the server's certificate
  bool was_resumed() const;
  /// In TLS 1.3 tickets come after the handshake: read something first.
  TlsTicket ticket() const;

 private:
  bool shake_hands_in_segments(int fd);
  bool fail_with_reason();

  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  const size_t segment_bytes_;
  std::string failure_;
};

}  // namespace cweb::e2e
