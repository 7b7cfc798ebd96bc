#include "server/log_file.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cweb::server {
namespace {

Expected<UniqueFd> open_to_append(const std::string& path) {
  // Non-blocking: a named pipe that nobody reads is an error and not a server that does not start.
  UniqueFd fd(path == "-" ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                          : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                                   S_IRUSR | S_IWUSR | S_IRGRP));
  if (!fd) return fail("the access log " + path + " cannot be opened: " + std::strerror(errno));
  return fd;
}

bool is_regular(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

LogFile::LogFile(std::string path, UniqueFd fd)
    : path_(std::move(path)), fd_(std::move(fd)), may_block_(!is_regular(fd_.get())) {}

Expected<LogFile> LogFile::open(const std::string& path) {
  auto fd = open_to_append(path);
  if (!fd) return std::unexpected(fd.error());
  return LogFile(path, std::move(*fd));
}

Expected<void> LogFile::reopen() {
  if (path_ == "-") return {};
  auto fd = open_to_append(path_);
  if (!fd) return std::unexpected(fd.error());
  fd_ = std::move(*fd);
  may_block_ = !is_regular(fd_.get());
  return {};
}

LogFile::Written LogFile::write(std::span<const char> text) {
  Written written;
  while (written.bytes < text.size()) {
    size_t size = text.size() - written.bytes;
    if (may_block_) {
      // Standard output is shared with others, so it is not made non-blocking. A pipe that can be written to takes
      // this much without blocking.
      pollfd ready{fd_.get(), POLLOUT, 0};
      if (poll(&ready, 1, 0) != 1) return written;
      size = std::min(size, size_t{PIPE_BUF});
    }
    const ssize_t count = ::write(fd_.get(), text.data() + written.bytes, size);
    if (count >= 0) {
      written.bytes += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      if (errno != EAGAIN) written.error = errno;
      return written;
    }
  }
  return written;
}

}  // namespace cweb::server
