// Reads WebSocket messages out of a client's bytes (RFC 6455, 5 to 8). One a socket; it holds memory only while there is
// something in it. Protocol only: what to do about a ping or a close is the owner's.
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

  /// After need_more: gives the buffer back when nothing is in it.
  void rest();

 private:
  // The implementer's.
};

}  // namespace cweb::http
