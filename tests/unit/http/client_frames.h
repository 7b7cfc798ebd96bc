// Frames as a client sends them: masked, and wrong where a test wants it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/websocket_frame.h"

namespace cweb::http {

inline constexpr std::array<char, 4> test_mask{'\x37', '\xfa', '\x21', '\x3d'};

/// The head alone. `first_byte` has the bits FIN and RSV and the opcode.
inline std::string client_head(unsigned first_byte, uint64_t payload_bytes) {
  // A server's head has the same length, and no mask.
  std::string head(ServerFrameHead(WebSocketOpcode::binary, payload_bytes).bytes());
  head[0] = static_cast<char>(first_byte);
  head[1] = static_cast<char>(static_cast<unsigned char>(head[1]) | 0x80);
  return head.append(test_mask.data(), test_mask.size());
}

inline std::string client_frame(unsigned first_byte, std::string_view payload) {
  std::string masked(payload);
  for (size_t i = 0; i < masked.size(); ++i) masked[i] = static_cast<char>(masked[i] ^ test_mask[i % test_mask.size()]);
  return client_head(first_byte, payload.size()) + masked;
}

// First bytes.
inline constexpr unsigned begin_text = 0x01, begin_binary = 0x02, go_on = 0x00, end_message = 0x80;
inline constexpr unsigned whole_text = 0x81, whole_binary = 0x82, close_frame = 0x88, ping_frame = 0x89;
inline constexpr unsigned pong_frame = 0x8a, compressed_bit = 0x40;

/// The payload of a close frame.
inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}.append(reason);
}

}  // namespace cweb::http
