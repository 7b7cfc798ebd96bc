#include "websocket_client.h"

#include <gtest/gtest.h>

namespace cweb::e2e {
namespace {

/// No test has a message this large: a length beyond it is a mistake of the server's, and is not waited for.
constexpr uint64_t most_payload_bytes = uint64_t{256} << 20;

void append_number(std::string& out, uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

uint64_t number_in(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

LengthForm shortest_form(uint64_t payload_bytes) {
  if (payload_bytes < 126) return LengthForm::shortest;
  return payload_bytes < 65536 ? LengthForm::in_two_bytes : LengthForm::in_eight_bytes;
}

std::string frame_head(FrameBits bits, uint64_t payload_bytes, bool masked, LengthForm form) {
  if (form == LengthForm::shortest) form = shortest_form(payload_bytes);
  std::string head;
  head += static_cast<char>((bits.fin ? 0x80 : 0) | bits.rsv << 4 | bits.opcode);
  const int mask_bit = masked ? 0x80 : 0;
  if (form == LengthForm::shortest) {
    head += static_cast<char>(mask_bit | static_cast<int>(payload_bytes));
  } else if (form == LengthForm::in_two_bytes) {
    head += static_cast<char>(mask_bit | 126);
    append_number(head, payload_bytes, 2);
  } else {
    head += static_cast<char>(mask_bit | 127);
    append_number(head, payload_bytes, 8);
  }
  return head;
}

/// The rest of a frame whose first two bytes are in `frame`.
bool read_rest(RawClient& client, ServerFrame& frame) {
  const auto second = static_cast<uint8_t>(frame.bytes[1]);
  EXPECT_EQ(second & 0x80, 0) << "a server masks nothing";
  uint64_t payload_bytes = second & 0x7f;
  if (payload_bytes >= 126) {
    std::string length;
    if (!client.read_exactly(payload_bytes == 126 ? 2 : 8, length)) return false;
    payload_bytes = number_in(length);
    EXPECT_EQ(length.size(), shortest_form(payload_bytes) == LengthForm::in_two_bytes ? 2U : 8U)
        << "the length " << payload_bytes << " has a shorter form";
    frame.bytes += length;
  }
  frame.head_bytes = frame.bytes.size();
  if (payload_bytes > most_payload_bytes) return false;
  std::string payload;
  if (!client.read_exactly(payload_bytes, payload)) return false;
  frame.bytes += payload;
  return true;
}

}  // namespace

std::string client_frame_head(FrameBits bits, uint64_t payload_bytes, std::string_view mask, LengthForm form) {
  return frame_head(bits, payload_bytes, !mask.empty(), form).append(mask);
}

std::string client_frame(FrameBits bits, std::string_view payload, std::string_view mask) {
  std::string frame = client_frame_head(bits, payload.size(), mask);
  if (mask.empty()) return frame.append(payload);
  frame.reserve(frame.size() + payload.size());
  for (size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  return frame;
}

std::string server_frame(FrameBits bits, std::string_view payload) {
  return frame_head(bits, payload.size(), /*masked=*/false, LengthForm::shortest).append(payload);
}

std::string close_payload(uint16_t code, std::string_view reason) {
  std::string payload;
  append_number(payload, code, 2);
  return payload.append(reason);
}

int ServerFrame::close_code() const {
  if (bits.opcode != opcode::close) return -1;
  return payload().size() < 2 ? 1005 : static_cast<int>(number_in(payload().substr(0, 2)));
}

std::string_view ServerFrame::close_reason() const {
  return payload().size() < 2 ? std::string_view() : payload().substr(2);
}

std::optional<ServerFrame> read_server_frame(RawClient& client) {
  ServerFrame frame;
  const bool whole = client.read_exactly(2, frame.bytes) && read_rest(client, frame);
  if (!whole) {
    EXPECT_EQ(frame.bytes.size(), 0U) << "the stream ended within a frame";
    return std::nullopt;
  }
  const auto first = static_cast<uint8_t>(frame.bytes[0]);
  frame.bits = {.opcode = static_cast<uint8_t>(first & 0x0f),
                .fin = (first & 0x80) != 0,
                .rsv = static_cast<uint8_t>(first >> 4 & 7)};
  return frame;
}

std::string websocket_handshake(std::string_view path, std::string_view header_lines) {
  std::string lines =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  return get_request(path, lines.append(header_lines));
}

WebSocketClient::WebSocketClient(uint16_t port, std::string_view path, std::string_view header_lines,
                                 int receive_buffer_bytes)
    : client_(port, receive_buffer_bytes), handshake_(client_.exchange(websocket_handshake(path, header_lines))) {
  EXPECT_EQ(handshake_.status, 101) << "the server does not agree to WebSocket on " << path << ": " << handshake_.body;
  EXPECT_EQ(handshake_.header("Sec-WebSocket-Accept"), handshake_accept);
}

WebSocketClient::WebSocketClient(uint16_t port, std::string_view path, const TlsWish& wish,
                                 std::string_view header_lines)
    : client_(port, wish), handshake_(client_.exchange(websocket_handshake(path, header_lines))) {
  EXPECT_EQ(handshake_.status, 101) << "the server does not agree to WebSocket on " << path << ": " << handshake_.body;
}

std::string WebSocketClient::exchange(std::string_view message) {
  send_text(message);
  return read_text();
}

std::optional<ServerFrame> WebSocketClient::read_past_pings() {
  for (;;) {
    std::optional<ServerFrame> frame = read_frame();
    if (!frame || frame->bits.opcode != opcode::ping) return frame;
    send_frame({opcode::pong}, frame->payload());
  }
}

std::string WebSocketClient::read_message(uint8_t opcode) {
  const std::optional<ServerFrame> frame = read_past_pings();
  if (!frame) {
    ADD_FAILURE() << "the connection ended instead of a message";
    return {};
  }
  if (frame->bits.opcode != opcode || !frame->bits.fin || frame->bits.rsv != 0) {
    ADD_FAILURE() << "a message with opcode " << int{opcode} << " was awaited; instead opcode "
                  << int{frame->bits.opcode} << ", close code " << frame->close_code() << ": \""
                  << frame->payload().substr(0, 200) << '"';
    return {};
  }
  return std::string(frame->payload());
}

CloseSeen WebSocketClient::read_close() {
  const std::optional<ServerFrame> frame = read_past_pings();
  if (!frame) return {.code = 1006, .reason = {}};
  EXPECT_EQ(frame->bits.opcode, opcode::close)
      << "a message instead of the close: \"" << frame->payload().substr(0, 200) << '"';
  if (frame->bits.opcode != opcode::close) return {};
  if (!close_sent_) send_frame({opcode::close}, frame->payload().substr(0, 2));
  EXPECT_TRUE(client_.ends()) << "nothing comes behind a close frame";
  return {.code = frame->close_code(), .reason = std::string(frame->close_reason())};
}

CloseSeen WebSocketClient::close(uint16_t code, std::string_view reason) {
  close_sent_ = true;
  send_close(code, reason);
  return read_close();
}

}  // namespace cweb::e2e
