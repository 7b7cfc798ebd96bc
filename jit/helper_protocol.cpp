// Frames on a stream socket. Blocking; used by the thread that owns the socket at that moment.
#include "jit/helper_protocol.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"

namespace cweb::jit {
namespace {

// A peer that went mad must not make the other end allocate without bound.
constexpr uint32_t most_text_bytes = uint32_t{64} << 20;
constexpr uint32_t most_blob_bytes = uint32_t{512} << 20;

/// Waits until there is something to read. False when the deadline has passed.
bool wait_readable(int fd, int64_t deadline_ns) {
  for (;;) {
    timespec left{};
    if (deadline_ns != 0) {
      const int64_t ns = std::max<int64_t>(deadline_ns - monotonic_ns(), 0);
      left = {ns / 1'000'000'000, ns % 1'000'000'000};
    }
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::ppoll(&entry, 1, deadline_ns == 0 ? nullptr : &left, nullptr);
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return true;  // The read that follows says what is wrong.
  }
}

class Receiver {
 public:
  Receiver(int fd, int64_t deadline_ns) : fd_(fd), deadline_ns_(deadline_ns) {}

  std::expected<void, ReceiveError> fill(char* to, size_t bytes) {
    while (bytes > 0) {
      const ssize_t got = ::recv(fd_, to, bytes, MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) {
        if (!wait_readable(fd_, deadline_ns_)) return std::unexpected(ReceiveError::timeout);
        continue;
      }
      if (got <= 0) return std::unexpected(ReceiveError::closed);
      to += got;
      bytes -= static_cast<size_t>(got);
    }
    return {};
  }

  /// Takes memory for what comes, not for what is announced.
  std::expected<std::string, ReceiveError> take(size_t bytes) {
    constexpr size_t most_at_once = size_t{1} << 20;
    std::string text;
    while (text.size() < bytes) {
      const size_t before = text.size();
      text.resize(std::min(before + most_at_once, bytes));
      if (auto got = fill(text.data() + before, text.size() - before); !got) return std::unexpected(got.error());
    }
    return text;
  }

 private:
  int fd_;
  int64_t deadline_ns_;
};

}  // namespace

bool send_frame(int fd, FrameKind kind, std::string_view text, std::string_view blob) {
  FrameHeader header{static_cast<uint32_t>(kind), static_cast<uint32_t>(text.size()),
                     static_cast<uint32_t>(blob.size())};
  std::array<iovec, 3> parts{iovec{&header, sizeof header}, iovec{const_cast<char*>(text.data()), text.size()},
                             iovec{const_cast<char*>(blob.data()), blob.size()}};
  size_t first = 0;
  while (first < parts.size()) {
    msghdr message{};
    message.msg_iov = &parts[first];
    message.msg_iovlen = parts.size() - first;
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    auto left = static_cast<size_t>(sent);
    for (; first < parts.size() && left >= parts[first].iov_len; ++first) left -= parts[first].iov_len;
    if (first == parts.size()) break;
    parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + left;
    parts[first].iov_len -= left;
  }
  return true;
}

std::expected<Frame, ReceiveError> receive_frame(int fd, int64_t deadline_ns) {
  Receiver receiver(fd, deadline_ns);
  FrameHeader header;
  if (auto got = receiver.fill(reinterpret_cast<char*>(&header), sizeof header); !got)
    return std::unexpected(got.error());
  const bool is_known = header.kind >= static_cast<uint32_t>(FrameKind::options) &&
                        header.kind <= static_cast<uint32_t>(FrameKind::limit);
  if (!is_known || header.text_bytes > most_text_bytes || header.blob_bytes > most_blob_bytes) {
    return std::unexpected(ReceiveError::invalid);
  }
  auto text = receiver.take(header.text_bytes);
  if (!text) return std::unexpected(text.error());
  auto blob = receiver.take(header.blob_bytes);
  if (!blob) return std::unexpected(blob.error());
  return Frame{static_cast<FrameKind>(header.kind), std::move(*text), std::move(*blob)};
}

namespace {

constexpr std::array<std::string_view, 5> limit_words{"memory", "stack", "cpu", "crash", "fatal"};

}  // namespace

std::string_view word_of(LimitReached limit) {
  return limit_words[static_cast<size_t>(limit)];
}

LimitReached limit_of(std::string_view text) {
  for (size_t i = 0; i < limit_words.size(); ++i) {
    if (text.starts_with(limit_words[i])) return static_cast<LimitReached>(i);
  }
  return LimitReached::crash;
}

}  // namespace cweb::jit
