// A WebSocket client of the tests' own (RFC 6455): frames as bytes, under the test's control. It shares no code with
// the server, so that no mistake is made on both sides. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "raw_client.h"

namespace cweb::e2e {

namespace opcode {
inline constexpr uint8_t continuation = 0;
inline constexpr uint8_t text = 1;
inline constexpr uint8_t binary = 2;
inline constexpr uint8_t close = 8;
inline constexpr uint8_t ping = 9;
inline constexpr uint8_t pong = 10;
}  // namespace opcode

/// The reserved bits as they stand beside each other in a frame's first byte.
inline constexpr uint8_t rsv1 = 4;
inline constexpr uint8_t rsv2 = 2;
inline constexpr uint8_t rsv3 = 1;

/// All that a frame's head says but for the length of the payload.
struct FrameBits {
  uint8_t opcode = opcode::text;
  bool fin = true;
  uint8_t rsv = 0;
};

/// How the length of a payload is written; `shortest` is the only way that is allowed.
enum class LengthForm { shortest, in_two_bytes, in_eight_bytes };

/// What every frame of these clients is masked with: no byte is 0, and no two are the same.
inline constexpr std::string_view usual_mask = "\x37\xfa\x21\x3d";

/// The head of a client's frame, with its mask (empty: it has none) and without a payload.
std::string client_frame_head(FrameBits bits, uint64_t payload_bytes, std::string_view mask = usual_mask,
                              LengthForm form = LengthForm::shortest);
std::string client_frame(FrameBits bits, std::string_view payload, std::string_view mask = usual_mask);
/// What a server has to send for it.
std::string server_frame(FrameBits bits, std::string_view payload);
/// The payload of a close frame.
std::string close_payload(uint16_t code, std::string_view reason = "");

struct ServerFrame {
  FrameBits bits;
  std::string bytes;      ///< the whole frame as it came
  size_t head_bytes = 0;  ///< where its payload begins

  std::string_view payload() const { return std::string_view(bytes).substr(head_bytes); }
  /// Of a close frame: 1005 when it has no code. -1: it is another frame.
  int close_code() const;
  std::string_view close_reason() const;
};

/// The next frame; nothing at the end of the stream. A frame that a server must not send fails the test: masked, cut
/// off, or with a length that is not in its shortest form.
std::optional<ServerFrame> read_server_frame(RawClient& client);

/// The request of a handshake, with further header lines ("Name: value\r\n"). The key is that of RFC 6455, 1.3.
std::string websocket_handshake(std::string_view path, std::string_view header_lines = "");
/// The Sec-WebSocket-Accept that belongs to it.
inline constexpr std::string_view handshake_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How the server ended a connection.
struct CloseSeen {
  int code = -1;  ///< 1005: a close frame without a code; 1006: none came
  std::string reason;
};

class WebSocketClient {
 public:
  /// Connects and shakes hands; a server that does not agree fails the test.
  WebSocketClient(uint16_t port, std::string_view path, std::string_view header_lines = "",
                  int receive_buffer_bytes = 0);

  /// The same by TLS.
  WebSocketClient(uint16_t port, std::string_view path, const TlsWish& wish, std::string_view header_lines = "");

  const RawResponse& handshake() const { return handshake_; }
  /// For bytes that are nobody's frame.
  RawClient& raw() { return client_; }

  // False when the connection is gone; the test does not fail.
  bool send_frame(FrameBits bits, std::string_view payload) { return client_.send(client_frame(bits, payload)); }
  bool send_text(std::string_view message) { return send_frame({opcode::text}, message); }
  bool send_binary(std::string_view message) { return send_frame({opcode::binary}, message); }
  bool send_close(uint16_t code, std::string_view reason = "") {
    return send_frame({opcode::close}, close_payload(code, reason));
  }

  std::optional<ServerFrame> read_frame() { return read_server_frame(client_); }
  /// The next message, of one frame. Pings on the way are answered. Anything else fails the test and is empty.
  std::string read_text() { return read_message(opcode::text); }
  std::string read_binary() { return read_message(opcode::binary); }
  /// send_text() and read_text().
  std::string exchange(std::string_view message);

  /// Waits for the server's close frame, answers it, and waits for the end of the connection. A message instead fails
  /// the test.
  CloseSeen read_close();
  /// Begins the closing handshake, and read_close().
  CloseSeen close(uint16_t code = 1000, std::string_view reason = "");

 private:
  std::string read_message(uint8_t opcode);
  /// The next frame that is no ping; a ping is answered.
  std::optional<ServerFrame> read_past_pings();

  RawClient client_;
  RawResponse handshake_;
  bool close_sent_ = false;
};

}  // namespace cweb::e2e
