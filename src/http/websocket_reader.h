// Reads WebSocket messages out of a client's bytes (RFC 6455, 5 to 8). One a socket; it holds memory only while there
// is something in it. Protocol only: what to do about a ping or a close is the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/utf8_check.h"
#include "http/websocket_deflate.h"
#include "http/websocket_frame.h"

namespace cweb::http {

/// What the readers of one loop share: used by one at a time, none of it keeps anything of a socket.
class WebSocketReaderPool {
 public:
  static constexpr size_t buffer_bytes = 64 * 1024;

  /// buffer_bytes + 1 bytes.
  std::unique_ptr<char[]> take_buffer();
  void give_back(std::unique_ptr<char[]> buffer);
  MessageInflater& inflater();

 private:
  static constexpr size_t kept_buffers = 64;
  std::vector<std::unique_ptr<char[]>> spare_;
  std::unique_ptr<MessageInflater> inflater_;
};

class WebSocketReader {
 public:
  enum class Step {
    need_more,  ///< everything buffered was looked at
    message,    ///< a whole message: message(), is_binary()
    ping,       ///< payload(): to be sent back in a pong
    pong,       ///< payload()
    close,      ///< the peer's close frame: close_code(), payload() is its reason. Nothing behind it is looked at.
    failed,     ///< fault(). Nothing more is read.
    // Behind these two whatever comes is dropped, and need_more all that is said.
  };

  /// `pool` outlives the reader. A message above `max_message_bytes` (inflated) is a 1009.
  WebSocketReader(WebSocketReaderPool& pool, size_t max_message_bytes, bool compression_agreed);
  ~WebSocketReader();
  WebSocketReader(const WebSocketReader&) = delete;
  WebSocketReader& operator=(const WebSocketReader&) = delete;

  /// Bytes that came with the handshake, before anything else.
  void feed(std::string_view bytes);
  /// Room for at least one more byte. Then committed() says how many were put there.
  std::span<char> room();
  void committed(size_t bytes);

  Step advance();

  // Of the last step, until the next.
  /// A NUL stands behind it. The bytes may be changed.
  std::span<char> message() const { return message_; }
  bool is_binary() const { return opcode_ == WebSocketOpcode::binary; }
  std::string_view payload() const { return control_; }
  uint16_t close_code() const { return close_code_; }
  const WebSocketFault& fault() const { return fault_; }

  /// After need_more: gives back the buffer, and what else is large and empty.
  void rest();

 private:
  std::string_view buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void make_room(size_t least_bytes);
  void release_buffer();
  void retire_last_step();

  std::optional<Step> next_frame();
  const char* sequence_fault(char first_byte) const;
  std::optional<Step> control_frame(const FrameHead& head);
  Step close_frame();
  std::optional<Step> data_frame(const FrameHead& head);
  uint64_t most_payload_bytes() const;
  Step message_in_place(std::span<char> payload);
  std::optional<Step> take_payload();
  Step assembled_message();
  Step inflated_message(std::string_view payload);
  Step deliver(std::span<char> message);
  Step end(Step step);
  Step fail(const WebSocketFault& fault);

  WebSocketReaderPool& pool_;
  const size_t max_message_bytes_;
  const bool compression_agreed_;

  // Between two frames and at the end of what came the buffer holds less than one control frame.
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;  // one less than what is allocated: room for the NUL behind a message
  size_t begin_ = 0;     // up to here the bytes were taken
  size_t end_ = 0;       // up to here there are bytes
  std::string kept_;     // what was in the buffer, while it rests

  // The message that has begun. Its payload is `assembled_` unless it lies whole in the buffer.
  bool in_message_ = false;
  bool compressed_ = false;
  WebSocketOpcode opcode_ = WebSocketOpcode::text;
  Utf8Check utf8_;
  std::string assembled_;
  std::optional<FrameHead> frame_;  // while its payload is not all there
  uint64_t taken_bytes_ = 0;        // of its payload

  // Of the last step.
  bool message_is_out_ = false;
  char* behind_message_ = nullptr;  // where the NUL took the place of a byte
  char covered_byte_ = 0;           // that byte
  std::span<char> message_;
  std::string_view control_;
  uint16_t close_code_ = close_code::none_given;
  WebSocketFault fault_{};
  bool ended_ = false;
};

}  // namespace cweb::http
