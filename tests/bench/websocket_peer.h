// A client's end of a WebSocket, for programs that load a server: it costs little beside what it measures, and believes
// the server where that costs something. No compression, no fragments.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace cweb::bench {

/// The frame of a binary message (RFC 6455, 5.2), masked with the mask that all of them have: made once, sent often.
std::string client_frame(std::string_view message);

/// Puts a number into the first eight bytes of the message of a client_frame(), which has at least as many.
void number_frame(std::string& frame, uint64_t number);

/// The first eight bytes of a message that has at least as many.
inline uint64_t number_of(std::string_view message) {
  uint64_t number = 0;
  std::memcpy(&number, message.data(), sizeof number);
  return number;
}

/// Bytes that a read takes at the most. Shared by all peers of a thread.
using ReadBuffer = std::array<char, 128 * 1024>;

class WebSocketPeer {
 public:
  struct Options {
    uint32_t source_address = 0;   ///< in host order; 0: the system's choice
    int receive_buffer_bytes = 0;  ///< of the kernel; 0: the system's choice
  };

  /// Connects to the loopback address and waits for the handshake. An error is a sentence.
  static std::expected<std::unique_ptr<WebSocketPeer>, std::string> open(uint16_t port, const std::string& path,
                                                                         Options options);

  /// From now on its events come from this epoll, with `data`.
  bool watch(int epoll, void* data);

  /// Sends the frame, or as much as the kernel takes and the rest in ready(). False: the socket is gone.
  bool send(std::string_view frame);

  /// Deals with an event of epoll: hands `take` each message that came, as std::string_view. False: the server ended
  /// the socket, or sent what it must not.
  template <typename Take>
  bool ready(uint32_t events, ReadBuffer& buffer, Take&& take);

 private:
  explicit WebSocketPeer(UniqueFd fd) : fd_(std::move(fd)) {}

  enum class Taken { nothing, message, control, bad };
  /// Takes a whole frame off the front of `bytes`.
  Taken take_frame(std::string_view& bytes, std::string_view& message);
  bool send_unsent();
  bool wait_for_room(bool wanted);
  /// Nothing when there is nothing now; an empty text when the connection has ended.
  std::optional<std::string_view> read(ReadBuffer& buffer);

  UniqueFd fd_;
  int epoll_ = -1;
  void* data_ = nullptr;
  std::string unsent_;
  std::string received_;  ///< the beginning of a frame that is not whole
};

template <typename Take>
bool WebSocketPeer::ready(uint32_t events, ReadBuffer& buffer, Take&& take) {
  if (!unsent_.empty() && (events & EPOLLOUT) != 0 && !send_unsent()) return false;
  const std::optional<std::string_view> read_now = read(buffer);
  if (!read_now) return true;
  if (read_now->empty()) return false;
  std::string joined;
  std::string_view bytes = *read_now;
  if (!received_.empty()) {
    joined.swap(received_);
    bytes = joined.append(bytes);
  }
  for (std::string_view message;;) {
    const Taken taken = take_frame(bytes, message);
    if (taken == Taken::bad) return false;
    if (taken == Taken::nothing) break;
    if (taken == Taken::message) take(message);
  }
  received_.assign(bytes);
  return true;
}

}  // namespace cweb::bench
