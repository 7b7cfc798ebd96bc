// Owns one file descriptor, and knows which descriptors of the process are the server's: module code runs in the same
// process, and must not close them by a wrong number.
#pragma once

#include <unistd.h>

#include <utility>

namespace cweb {

/// Is this one of the server's own descriptors: owned by a UniqueFd, or standard input, output or error? Any thread.
bool is_server_descriptor(int fd);

/// For UniqueFd alone.
void mark_server_descriptor(int fd, bool owned);

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) { mark_server_descriptor(fd_, true); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { close(); }

  /// -1 when nothing is owned.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Gives the descriptor away; the caller closes it.
  int release() {
    mark_server_descriptor(fd_, false);
    return std::exchange(fd_, -1);
  }
  void reset(int fd = -1) {
    close();
    fd_ = fd;
    mark_server_descriptor(fd_, true);
  }

 private:
  void close() {
    if (fd_ < 0) return;
    // Unmarked first: as soon as it is closed its number may be somebody else's.
    mark_server_descriptor(fd_, false);
    ::close(fd_);
  }

  int fd_ = -1;
};

}  // namespace cweb
