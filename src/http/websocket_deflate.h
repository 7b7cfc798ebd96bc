// permessage-deflate (RFC 7692): each message is compressed for itself. Both directions go without context takeover, so
// that a socket at rest keeps no window.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "http/websocket_frame.h"

namespace cweb::http {

/// Made once and used for one message after the other, of any socket. One thread at a time. About 40 KiB.
class MessageInflater {
 public:
  MessageInflater();
  ~MessageInflater();
  MessageInflater(const MessageInflater&) = delete;
  MessageInflater& operator=(const MessageInflater&) = delete;

  /// The message whose compressed payload (all its frames') this is, into `message`, which is overwritten. 1009 beyond
  /// `most_bytes`, found without having written more than that; 1007 for what is not deflate data.
  std::expected<void, WebSocketFault> inflate(std::string_view payload, size_t most_bytes, std::string& message);

 private:
  struct Stream;
  const std::unique_ptr<Stream> stream_;
};

/// The same for what is sent. About 260 KiB with the full window. 9 to 15 bits of window.
class MessageDeflater {
 public:
  explicit MessageDeflater(int window_bits = 15);
  ~MessageDeflater();
  MessageDeflater(const MessageDeflater&) = delete;
  MessageDeflater& operator=(const MessageDeflater&) = delete;

  /// The payload of a frame with RSV1 for this message, into `payload`, which is overwritten.
  void deflate(std::string_view message, std::string& payload);

 private:
  struct Stream;
  const std::unique_ptr<Stream> stream_;
};

}  // namespace cweb::http
