// Frames of RFC 6455 as pure functions: what eight bytes or fewer say of a frame, unmasking, and the frames of a
// server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cweb::http {

/// RFC 6455, 5.2; the numbers that are not here are reserved.
enum class WebSocketOpcode : uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline bool is_control(WebSocketOpcode opcode) {
  return static_cast<uint8_t>(opcode) >= 8;
}

/// Status codes of a close frame (RFC 6455, 7.4.1).
namespace close_code {
inline constexpr uint16_t normal = 1000;
inline constexpr uint16_t going_away = 1001;
inline constexpr uint16_t protocol_error = 1002;
inline constexpr uint16_t none_given = 1005;  ///< never sent: the close frame had no code
inline constexpr uint16_t abnormal = 1006;    ///< never sent: the connection ended without a close frame
inline constexpr uint16_t not_the_type = 1007;
inline constexpr uint16_t policy = 1008;
inline constexpr uint16_t too_big = 1009;
inline constexpr uint16_t internal_error = 1011;
inline constexpr uint16_t try_again_later = 1013;
}  // namespace close_code

/// May an endpoint send it? 1000 to 1014 but for 1004 to 1006, and 3000 to 4999.
bool is_close_code(unsigned code);

/// Why a connection has to be failed (RFC 6455, 7.1.7).
struct WebSocketFault {
  uint16_t code;
  const char* sentence;  ///< at most 123 bytes: it is the close frame's reason
};

struct FrameHead {
  WebSocketOpcode opcode;
  bool final;
  bool compressed;  ///< RSV1
  uint64_t payload_bytes;
  std::array<char, 4> mask;
  size_t head_bytes;  ///< 6 to 14: where the payload begins
};

/// The frame of a client that begins at the front of `bytes`. Nothing while its head is not all there. Checked is what
/// one frame says alone: reserved bits (RSV1 is one unless compression is agreed, and for control frames always) and
/// opcodes, the mask, control frames of at most 125 bytes in one piece, the shortest form of the length, its top bit.
/// Each fault is told by the first byte that shows it.
std::expected<std::optional<FrameHead>, WebSocketFault> read_frame_head(std::string_view bytes,
                                                                        bool compression_agreed);

/// Takes the mask off (or puts it on) in place. `offset` is that of the first byte within the frame's payload.
void unmask(std::span<char> payload, const std::array<char, 4>& mask, uint64_t offset);

/// The head of a server's frame, which has no mask, in one piece: 2, 4 or 10 bytes.
class ServerFrameHead {
 public:
  ServerFrameHead(WebSocketOpcode opcode, uint64_t payload_bytes, bool compressed = false);
  std::string_view bytes() const { return {bytes_.data(), length_}; }

 private:
  std::array<char, 10> bytes_;
  size_t length_;
};

inline void append_frame(std::string& out, WebSocketOpcode opcode, std::string_view payload, bool compressed = false) {
  out.append(ServerFrameHead(opcode, payload.size(), compressed).bytes()).append(payload);
}

/// A close frame. A code that may not be sent (`none_given`) makes an empty one. The reason is cut at 123 bytes, or
/// where it is no UTF-8, at the end of a character.
void append_close_frame(std::string& out, uint16_t code, std::string_view reason);

}  // namespace cweb::http
