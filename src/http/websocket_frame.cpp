#include "http/websocket_frame.h"

#include <algorithm>
#include <cstring>

#include "http/utf8_check.h"

namespace cweb::http {
namespace {

// The first two bytes of a frame (RFC 6455, 5.2).
constexpr unsigned final_bit = 0x80;
constexpr unsigned rsv1_bit = 0x40;
constexpr unsigned rsv2_and_rsv3_bits = 0x30;
constexpr unsigned opcode_bits = 0x0f;
constexpr unsigned masked_bit = 0x80;
constexpr unsigned length_bits = 0x7f;

// What the seven bits say that are no length: it follows in two bytes, or in eight.
constexpr unsigned length_in_two_bytes = 126;
constexpr unsigned length_in_eight_bytes = 127;

constexpr size_t most_control_bytes = 125;
constexpr size_t most_reason_bytes = most_control_bytes - 2;
constexpr size_t mask_bytes = 4;

unsigned byte_at(std::string_view bytes, size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

WebSocketOpcode opcode_of(unsigned first_byte) {
  return static_cast<WebSocketOpcode>(first_byte & opcode_bits);
}

bool is_reserved(WebSocketOpcode opcode) {
  return opcode > WebSocketOpcode::pong || (opcode > WebSocketOpcode::binary && opcode < WebSocketOpcode::close);
}

// Each of the following says what is wrong, or null.

const char* first_byte_fault(unsigned byte, bool compression_agreed) {
  const WebSocketOpcode opcode = opcode_of(byte);
  if (is_reserved(opcode)) return "a frame has a reserved opcode";
  if ((byte & rsv2_and_rsv3_bits) != 0) return "RSV2 and RSV3 of a frame must be zero";
  if ((byte & rsv1_bit) != 0) {
    if (is_control(opcode)) return "RSV1 of a control frame must be zero";
    if (!compression_agreed) return "RSV1 of a frame must be zero: no compression was agreed on";
  }
  if (is_control(opcode) && (byte & final_bit) == 0) return "a control frame must not be fragmented";
  return nullptr;
}

const char* second_byte_fault(unsigned byte, WebSocketOpcode opcode) {
  if ((byte & masked_bit) == 0) return "a client's frames must be masked";
  if (is_control(opcode) && (byte & length_bits) > most_control_bytes) {
    return "a control frame has at most 125 bytes of payload";
  }
  return nullptr;
}

/// `extended`: as much as is there of the length's `bytes`.
const char* length_fault(std::string_view extended, size_t bytes) {
  constexpr const char* too_long_a_form = "the length of a frame must be given in its shortest form";
  if (bytes == 2) {
    return extended.size() == 2 && byte_at(extended, 0) == 0 && byte_at(extended, 1) < length_in_two_bytes
               ? too_long_a_form
               : nullptr;
  }
  if (!extended.empty() && (byte_at(extended, 0) & 0x80) != 0) return "the top bit of a frame's length must be zero";
  constexpr std::string_view zeros("\0\0\0\0\0\0", 6);  // above them, two bytes would have been enough
  return extended.starts_with(zeros) ? too_long_a_form : nullptr;
}

uint64_t big_endian(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i) number = number << 8 | byte_at(bytes, i);
  return number;
}

size_t extended_length_bytes(unsigned second_byte) {
  const unsigned length = second_byte & length_bits;
  return length == length_in_eight_bytes ? 8 : length == length_in_two_bytes ? 2 : 0;
}

using Block = uint64_t __attribute__((vector_size(16)));

void unmask_block(char* at, const Block& key) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  block ^= key;
  std::memcpy(at, &block, sizeof block);
}

/// The longest beginning that is UTF-8 and fits into a close frame.
std::string_view sendable_reason(std::string_view reason) {
  Utf8Check check;
  size_t whole = 0;
  for (size_t i = 0; i < std::min(reason.size(), most_reason_bytes) && check.take(reason.substr(i, 1)); ++i) {
    if (check.complete()) whole = i + 1;
  }
  return reason.substr(0, whole);
}

}  // namespace

bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

std::expected<std::optional<FrameHead>, WebSocketFault> read_frame_head(std::string_view bytes,
                                                                        bool compression_agreed) {
  const auto fault = [](const char* sentence) {
    return std::unexpected(WebSocketFault{close_code::protocol_error, sentence});
  };
  if (bytes.empty()) return std::nullopt;
  const unsigned first = byte_at(bytes, 0);
  const WebSocketOpcode opcode = opcode_of(first);
  if (const char* wrong = first_byte_fault(first, compression_agreed)) return fault(wrong);
  if (bytes.size() < 2) return std::nullopt;
  const unsigned second = byte_at(bytes, 1);
  if (const char* wrong = second_byte_fault(second, opcode)) return fault(wrong);
  const size_t length_bytes = extended_length_bytes(second);
  const std::string_view extended = bytes.substr(2, length_bytes);
  if (length_bytes > 0) {
    if (const char* wrong = length_fault(extended, length_bytes)) return fault(wrong);
  }
  const size_t head_bytes = 2 + length_bytes + mask_bytes;
  if (bytes.size() < head_bytes) return std::nullopt;
  FrameHead head{.opcode = opcode,
                 .final = (first & final_bit) != 0,
                 .compressed = (first & rsv1_bit) != 0,
                 .payload_bytes = length_bytes > 0 ? big_endian(extended) : second & length_bits,
                 .mask = {},
                 .head_bytes = head_bytes};
  std::memcpy(head.mask.data(), bytes.data() + head_bytes - mask_bytes, mask_bytes);
  return head;
}

void unmask(std::span<char> payload, const std::array<char, 4>& mask, uint64_t offset) {
  // The mask, as often as a block has it, beginning with the byte for the first of `payload`.
  std::array<char, sizeof(Block)> repeated;
  for (size_t i = 0; i < repeated.size(); ++i) repeated[i] = mask[(offset + i) % mask.size()];
  Block key;
  std::memcpy(&key, repeated.data(), sizeof key);

  char* at = payload.data();
  size_t left = payload.size();
  constexpr size_t block_bytes = sizeof key;
  // Four of them in a turn: with one, the loop costs as much as the blocks.
  for (; left >= 4 * block_bytes; at += 4 * block_bytes, left -= 4 * block_bytes) {
    unmask_block(at, key);
    unmask_block(at + block_bytes, key);
    unmask_block(at + 2 * block_bytes, key);
    unmask_block(at + 3 * block_bytes, key);
  }
  for (; left >= block_bytes; at += block_bytes, left -= block_bytes) unmask_block(at, key);
  for (size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ repeated[i]);
}

ServerFrameHead::ServerFrameHead(WebSocketOpcode opcode, uint64_t payload_bytes, bool compressed) {
  bytes_[0] = static_cast<char>(final_bit | (compressed ? rsv1_bit : 0U) | static_cast<unsigned>(opcode));
  const size_t length_bytes = payload_bytes < length_in_two_bytes ? 0 : payload_bytes <= UINT16_MAX ? 2 : 8;
  bytes_[1] = static_cast<char>(length_bytes == 0   ? payload_bytes
                                : length_bytes == 2 ? uint64_t{length_in_two_bytes}
                                                    : uint64_t{length_in_eight_bytes});
  for (size_t i = 0; i < length_bytes; ++i) {
    bytes_[2 + i] = static_cast<char>(payload_bytes >> (8 * (length_bytes - 1 - i)));
  }
  length_ = 2 + length_bytes;
}

void append_close_frame(std::string& out, uint16_t code, std::string_view reason) {
  if (!is_close_code(code)) {
    append_frame(out, WebSocketOpcode::close, {});
    return;
  }
  reason = sendable_reason(reason);
  out.append(ServerFrameHead(WebSocketOpcode::close, sizeof code + reason.size()).bytes());
  out += static_cast<char>(code >> 8);
  out += static_cast<char>(code & 0xff);
  out.append(reason);
}

}  // namespace cweb::http
