// TLS over TCP, as a server. The handshake, the records and the alerts are OpenSSL's; its way to the socket is ours, so
// that a read which has emptied the socket is known to have, and costs no second system call. Owned and used by the
// loop that owns the connection; never used from inside a call into a module.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "net/tls_context.h"
#include "net/transport.h"

namespace cweb::net {

class TlsTransport final : public Transport {
 public:
  /// `fd` is a connected, non-blocking socket. The context stays the connection's for life.
  TlsTransport(UniqueFd fd, std::shared_ptr<const TlsContext> context);
  /// Says goodbye, if there is anybody to say it to.
  ~TlsTransport() override;

  int fd() const override { return fd_.get(); }
  IoResult handshake() override;
  IoResult read(std::span<char> into) override;
  IoResult write(std::span<const char> from) override;
  void shut_down_write() override;

  /// After a handshake that failed: what came is no TLS but HTTP as plain text. From then on the transport carries
  /// plain text, so that this can be told.
  bool speaks_plain_http() const { return state_ == State::plain; }
  /// After a handshake: did it go on with an earlier session?
  bool was_resumed() const;

 private:
  friend struct TlsBio;
  enum class State {
    silent,   ///< nothing has come: there is no session object yet, and whoever says nothing costs none
    shaking,  ///< the handshake is under way
    open,
    plain,
    failed,  ///< nothing can be read or written
  };
  struct FreeSession {
    void operator()(SSL* ssl) const;
  };

  IoResult hear_first_bytes();
  IoResult raw_read(std::span<char> into);
  IoResult raw_write(std::span<const char> from);
  IoResult failure();
  /// May there be more to read, in the session object or in the socket?
  bool has_more() const;

  const UniqueFd fd_;
  const std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, FreeSession> ssl_;  ///< null until something has come
  std::string first_bytes_;                ///< that came before there was a session object
  State state_ = State::silent;
  bool socket_emptied_ = false;  ///< by the last read from it
  bool read_blocked_ = false;    ///< the call under way found nothing to read
  bool write_blocked_ = false;   ///< the call under way found no room to write
  bool at_end_ = false;          ///< the socket has nothing more, ever
  bool said_goodbye_ = false;
  int empty_reads_ = 0;  ///< that brought no data, one after the other
};

}  // namespace cweb::net
