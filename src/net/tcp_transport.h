// Plain TCP.
#pragma once

#include "base/unique_fd.h"
#include "net/transport.h"

namespace cweb::net {

class TcpTransport final : public Transport {
 public:
  /// `fd` is a connected, non-blocking socket.
  explicit TcpTransport(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const override { return fd_.get(); }
  IoResult read(std::span<char> into) override;
  IoResult write(std::span<const char> from) override;
  void shut_down_write() override;

 private:
  UniqueFd fd_;
};

}  // namespace cweb::net
