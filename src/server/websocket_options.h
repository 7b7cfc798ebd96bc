// What the WebSockets of a server may do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cweb::server {

struct WebSocketOptions {
  size_t max_message_bytes = size_t{16} << 20;  ///< of a peer's message, inflated; one above it is a 1009
  int64_t ping_ms = 30'000;  ///< silence before a ping; as much again without a word, and the socket is closed
};

}  // namespace cweb::server
