#include "net/tcp_transport.h"

#include <errno.h>
#include <sys/socket.h>

namespace cweb::net {
namespace {

IoResult failure() {
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return {later ? IoResult::Status::would_block : IoResult::Status::closed};
}

}  // namespace

IoResult TcpTransport::read(std::span<char> into) {
  const ssize_t count = ::recv(fd_.get(), into.data(), into.size(), 0);
  // A short read has emptied the socket (epoll(7)); only the end of the stream can be behind it.
  if (count > 0) return {IoResult::Status::ok, static_cast<size_t>(count), static_cast<size_t>(count) == into.size()};
  return count == 0 ? IoResult{IoResult::Status::closed} : failure();
}

IoResult TcpTransport::write(std::span<const char> from) {
  const ssize_t count = ::send(fd_.get(), from.data(), from.size(), MSG_NOSIGNAL);
  if (count >= 0) return {IoResult::Status::ok, static_cast<size_t>(count)};
  return failure();
}

void TcpTransport::shut_down_write() {
  ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace cweb::net
