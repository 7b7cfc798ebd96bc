#include "net/tls_transport.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <limits>

namespace cweb::net {
namespace {

using Status = IoResult::Status;

/// Reads that may bring no data one after the other, but messages such as key updates, each of which costs as much as
/// many bytes do. Who goes on with it wants nothing but the work.
constexpr int most_empty_reads = 16;
/// As much as a first flight ever is; what is behind it stays in the socket.
constexpr size_t first_read_bytes = 16 * 1024;
constexpr size_t most_tls_bytes = std::numeric_limits<int>::max();

/// First byte of a handshake record (RFC 8446, 5.1). A request line in plain text begins with a capital letter.
bool is_plain_http(char first) {
  return first >= 'A' && first <= 'Z';
}

}  // namespace

/// OpenSSL's way to the socket.
struct TlsBio {
  static TlsTransport& owner(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    TlsTransport& transport = owner(bio);
    BIO_clear_retry_flags(bio);
    const std::span<char> room(into, static_cast<size_t>(size));
    if (!transport.first_bytes_.empty()) {
      const size_t count = std::min(room.size(), transport.first_bytes_.size());
      std::copy_n(transport.first_bytes_.begin(), count, room.begin());
      transport.first_bytes_.erase(0, count);
      if (transport.first_bytes_.empty()) transport.first_bytes_.shrink_to_fit();
      return static_cast<int>(count);
    }
    const ssize_t count = ::recv(transport.fd_.get(), room.data(), room.size(), 0);
    transport.socket_emptied_ = count < size;
    if (count > 0) return static_cast<int>(count);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      transport.read_blocked_ = true;
      BIO_set_retry_read(bio);
      return -1;
    }
    transport.at_end_ = true;
    return 0;
  }

  static int write(BIO* bio, const char* from, int size) {
    TlsTransport& transport = owner(bio);
    BIO_clear_retry_flags(bio);
    const ssize_t count = ::send(transport.fd_.get(), from, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<int>(count);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      transport.write_blocked_ = true;
      BIO_set_retry_write(bio);
    }
    return -1;
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;  // nothing is held back
    if (command == BIO_CTRL_EOF) return owner(bio).at_end_ ? 1 : 0;
    return 0;
  }

  struct FreeMethod {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  using Method = std::unique_ptr<BIO_METHOD, FreeMethod>;

  static Method make_method() {
    Method made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cweb socket"));
    CWEB_ASSERT(made != nullptr);
    BIO_meth_set_read(made.get(), read);
    BIO_meth_set_write(made.get(), write);
    BIO_meth_set_ctrl(made.get(), control);
    return made;
  }

  /// For the session object of a transport, which owns it and does not outlive the transport.
  static BIO* make(TlsTransport& transport) {
    static const Method method = make_method();
    BIO* const bio = BIO_new(method.get());
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, &transport);
    BIO_set_init(bio, 1);
    return bio;
  }
};

void TlsTransport::FreeSession::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsTransport::TlsTransport(UniqueFd fd, std::shared_ptr<const TlsContext> context)
    : fd_(std::move(fd)), context_(std::move(context)) {}

TlsTransport::~TlsTransport() {
  if (state_ == State::open && !said_goodbye_) SSL_shutdown(ssl_.get());
  // The list of failures is the thread's, and the next to look at it has nothing to do with this.
  if (ssl_) ERR_clear_error();
}

bool TlsTransport::has_more() const {
  return !socket_emptied_ || !first_bytes_.empty() || SSL_has_pending(ssl_.get()) == 1;
}

bool TlsTransport::was_resumed() const {
  return ssl_ && SSL_session_reused(ssl_.get()) == 1;
}

/// What is read before OpenSSL gets to see anything: silence costs no memory, and plain text is known for what it is.
IoResult TlsTransport::hear_first_bytes() {
  std::array<char, first_read_bytes> bytes;
  const IoResult heard = raw_read(bytes);
  if (heard.status != Status::ok) return heard;
  socket_emptied_ = heard.bytes < bytes.size();
  if (is_plain_http(bytes[0])) {
    state_ = State::plain;
    return {Status::closed};
  }
  first_bytes_.assign(bytes.data(), heard.bytes);
  ssl_.reset(SSL_new(context_->get()));
  BIO* const bio = ssl_ ? TlsBio::make(*this) : nullptr;
  if (bio == nullptr) return failure();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  state_ = State::shaking;
  return heard;
}

IoResult TlsTransport::handshake() {
  socket_emptied_ = false;
  if (state_ == State::silent) {
    const IoResult heard = hear_first_bytes();
    if (heard.status != Status::ok) return heard;
  }
  if (state_ == State::open) return {Status::ok, 0, true};
  if (state_ != State::shaking) return {Status::closed};
  read_blocked_ = write_blocked_ = false;
  if (SSL_do_handshake(ssl_.get()) == 1) {
    state_ = State::open;
    return {Status::ok, 0, has_more()};
  }
  if (read_blocked_ || write_blocked_) return {Status::would_block, 0, false, write_blocked_};
  return failure();
}

IoResult TlsTransport::read(std::span<char> into) {
  // What OpenSSL has read ahead is given without a look at the socket, which may have got more since the last one.
  socket_emptied_ = false;
  if (state_ == State::plain) return raw_read(into);
  if (state_ != State::open) return {Status::closed};
  SSL* const ssl = ssl_.get();
  read_blocked_ = write_blocked_ = false;
  size_t count = 0;
  if (SSL_read_ex(ssl, into.data(), into.size(), &count) == 1) {
    empty_reads_ = 0;
    return {Status::ok, count, has_more()};
  }
  if (read_blocked_ || write_blocked_) return {Status::would_block, 0, false, write_blocked_};
  if ((SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0) {
    ERR_clear_error();
    return {Status::closed};
  }
  // Where nothing is wrong it was a message that carries no data, and others are to have their turn before the next.
  const bool was_empty = BIO_should_read(SSL_get_rbio(ssl));
  if (was_empty && ++empty_reads_ <= most_empty_reads) return {Status::would_block, 0, true};
  return failure();
}

IoResult TlsTransport::write(std::span<const char> from) {
  if (state_ == State::plain) return raw_write(from);
  if (state_ != State::open) return {Status::closed};
  read_blocked_ = write_blocked_ = false;
  size_t count = 0;
  if (SSL_write_ex(ssl_.get(), from.data(), std::min(from.size(), most_tls_bytes), &count) == 1) {
    return {Status::ok, count};
  }
  if (read_blocked_ || write_blocked_) return {Status::would_block};
  return failure();
}

void TlsTransport::shut_down_write() {
  if (state_ == State::open && !said_goodbye_) {
    said_goodbye_ = true;
    // Where there is no room for it now there is none later: nothing is written after this.
    if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
  }
  ::shutdown(fd_.get(), SHUT_WR);
}

IoResult TlsTransport::raw_read(std::span<char> into) {
  const ssize_t count = ::recv(fd_.get(), into.data(), into.size(), 0);
  if (count > 0) return {Status::ok, static_cast<size_t>(count), static_cast<size_t>(count) == into.size()};
  const bool later = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return {later ? Status::would_block : Status::closed};
}

IoResult TlsTransport::raw_write(std::span<const char> from) {
  const ssize_t count = ::send(fd_.get(), from.data(), from.size(), MSG_NOSIGNAL);
  if (count >= 0) return {Status::ok, static_cast<size_t>(count)};
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return {later ? Status::would_block : Status::closed};
}

/// OpenSSL has told the peer why, where there is a word for it. Nothing of a session that has failed can be used.
IoResult TlsTransport::failure() {
  ERR_clear_error();
  state_ = State::failed;
  return {Status::closed};
}

}  // namespace cweb::net
