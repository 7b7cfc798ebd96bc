// The head of a frame says what is wrong with it by the first byte that shows it.
#include "http/websocket_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "http/utf8_check.h"

namespace cweb::http {
namespace {

using Opcode = WebSocketOpcode;

std::string bytes(std::initializer_list<unsigned> values) {
  std::string text;
  for (const unsigned value : values) text += static_cast<char>(value);
  return text;
}

/// The head of a client's frame, whatever form the length is to have.
std::string client_head(unsigned first, uint64_t length, size_t length_bytes) {
  std::string head = bytes({first, 0x80 | static_cast<unsigned>(length_bytes == 0   ? length
                                                                : length_bytes == 2 ? 126
                                                                                    : 127)});
  for (size_t i = length_bytes; i-- > 0;) head += static_cast<char>(length >> (8 * i));
  return head + "MASK";
}

std::string shortest_head(unsigned first, uint64_t length) {
  return client_head(first, length, length < 126 ? 0 : length < 65'536 ? 2 : 8);
}

bool is_fault(std::string_view head, bool compression_agreed = false) {
  const auto read = read_frame_head(head, compression_agreed);
  if (read) return false;
  EXPECT_EQ(read.error().code, close_code::protocol_error);
  EXPECT_LE(std::string_view(read.error().sentence).size(), 123U);
  EXPECT_FALSE(std::string_view(read.error().sentence).empty());
  return true;
}

/// Is `head` a fault, and none yet before its last byte?
bool is_fault_at_last_byte(const std::string& head, bool compression_agreed = false) {
  for (size_t length = 0; length < head.size(); ++length) {
    const auto read = read_frame_head(head.substr(0, length), compression_agreed);
    if (!read || read->has_value()) return false;
  }
  return is_fault(head, compression_agreed);
}

TEST(WebSocketFrame, EveryFirstByteIsWhatTheRfcSays) {
  for (const bool compression : {false, true}) {
    for (unsigned first = 0; first < 256; ++first) {
      const unsigned opcode = first & 15;
      const bool control = opcode >= 8;
      bool allowed = opcode <= 2 || (opcode >= 8 && opcode <= 10);
      if ((first & 0x30) != 0) allowed = false;
      if ((first & 0x40) != 0 && (!compression || control)) allowed = false;
      if (control && (first & 0x80) == 0) allowed = false;
      const auto read = read_frame_head(bytes({first}), compression);
      ASSERT_EQ(read.has_value(), allowed) << first;
      if (!allowed) continue;
      EXPECT_FALSE(read->has_value()) << "a byte is no head";
      const auto whole = read_frame_head(shortest_head(first, 5), compression);
      ASSERT_TRUE(whole && *whole) << first;
      EXPECT_EQ(static_cast<unsigned>((*whole)->opcode), opcode);
      EXPECT_EQ((*whole)->final, (first & 0x80) != 0);
      EXPECT_EQ((*whole)->compressed, (first & 0x40) != 0);
    }
  }
}

TEST(WebSocketFrame, AFrameWithoutMaskIsRefusedByItsSecondByte) {
  for (unsigned length = 0; length < 128; ++length) EXPECT_TRUE(is_fault_at_last_byte(bytes({0x82, length})));
}

TEST(WebSocketFrame, LengthsAroundTheirBorders) {
  for (const uint64_t length : {0ULL, 1ULL, 125ULL, 126ULL, 127ULL, 255ULL, 256ULL, 65'535ULL, 65'536ULL, 65'537ULL,
                                (1ULL << 32) - 1, 1ULL << 32, (1ULL << 63) - 1}) {
    const std::string head = shortest_head(0x82, length);
    for (size_t there = 0; there < head.size(); ++there) {
      const auto part = read_frame_head(head.substr(0, there), false);
      ASSERT_TRUE(part.has_value() && !part->has_value()) << length << ' ' << there;
    }
    const auto read = read_frame_head(head + "payload", false);
    ASSERT_TRUE(read && *read) << length;
    EXPECT_EQ((*read)->payload_bytes, length);
    EXPECT_EQ((*read)->head_bytes, head.size());
    EXPECT_EQ(std::string((*read)->mask.data(), 4), "MASK");
  }
}

TEST(WebSocketFrame, ALengthInALongerFormThanItNeedsIsRefused) {
  for (const uint64_t length : {0ULL, 1ULL, 125ULL}) {
    EXPECT_TRUE(is_fault_at_last_byte(client_head(0x82, length, 2).substr(0, 4))) << length;
  }
  for (const uint64_t length : {0ULL, 125ULL, 126ULL, 65'535ULL}) {
    EXPECT_TRUE(is_fault_at_last_byte(client_head(0x82, length, 8).substr(0, 8))) << length;
  }
}

TEST(WebSocketFrame, TheTopBitOfALengthIsRefusedAtOnce) {
  EXPECT_TRUE(is_fault_at_last_byte(bytes({0x82, 0xff, 0x80})));
  EXPECT_TRUE(is_fault(client_head(0x82, UINT64_MAX, 8)));
}

TEST(WebSocketFrame, AControlFrameIsShort) {
  for (const unsigned opcode : {8U, 9U, 10U}) {
    EXPECT_TRUE(read_frame_head(shortest_head(0x80 | opcode, 125), false)->has_value());
    EXPECT_TRUE(is_fault_at_last_byte(bytes({0x80 | opcode, 0x80 | 126})));
    EXPECT_TRUE(is_fault_at_last_byte(bytes({0x80 | opcode, 0x80 | 127})));
  }
}

TEST(WebSocketFrame, UnmasksAnyPieceAtAnyPlace) {
  const std::array<char, 4> mask{'\x37', '\xfa', '\x21', '\x3d'};
  std::string plain(300, '\0');
  std::iota(plain.begin(), plain.end(), '\0');
  std::string masked = plain;
  for (size_t i = 0; i < masked.size(); ++i) masked[i] = static_cast<char>(masked[i] ^ mask[i % 4]);
  for (size_t from = 0; from < 20; ++from) {
    for (size_t length = 0; from + length <= plain.size(); ++length) {
      // A block of its own: what stands around it is not to be touched.
      std::vector<char> piece(masked.begin() + static_cast<ptrdiff_t>(from),
                              masked.begin() + static_cast<ptrdiff_t>(from + length));
      unmask(piece, mask, (1ULL << 40) + from);
      ASSERT_EQ(std::string(piece.begin(), piece.end()), plain.substr(from, length)) << from << ' ' << length;
    }
  }
}

TEST(WebSocketFrame, TheExampleOfTheRfc) {
  // RFC 6455, 5.7: a masked "Hello".
  std::string frame = bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  const auto head = read_frame_head(frame, false);
  ASSERT_TRUE(head && *head);
  const std::span<char> payload(frame.data() + (*head)->head_bytes, (*head)->payload_bytes);
  unmask(payload, (*head)->mask, 0);
  EXPECT_EQ(std::string(payload.begin(), payload.end()), "Hello");
}

TEST(ServerFrame, HasTheShortestLengthAndNoMask) {
  EXPECT_EQ(ServerFrameHead(Opcode::text, 0).bytes(), bytes({0x81, 0}));
  EXPECT_EQ(ServerFrameHead(Opcode::binary, 125).bytes(), bytes({0x82, 125}));
  EXPECT_EQ(ServerFrameHead(Opcode::binary, 126).bytes(), bytes({0x82, 126, 0, 126}));
  EXPECT_EQ(ServerFrameHead(Opcode::binary, 65'535).bytes(), bytes({0x82, 126, 0xff, 0xff}));
  EXPECT_EQ(ServerFrameHead(Opcode::binary, 65'536).bytes(), bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(ServerFrameHead(Opcode::binary, 0x0102030405060708).bytes(), bytes({0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(ServerFrameHead(Opcode::text, 3, /*compressed=*/true).bytes(), bytes({0xc1, 3}));
  EXPECT_EQ(ServerFrameHead(Opcode::ping, 0).bytes(), bytes({0x89, 0}));
}

TEST(ServerFrame, IsAppended) {
  std::string out = "before";
  append_frame(out, Opcode::text, "Hello");
  EXPECT_EQ(out, "before" + bytes({0x81, 5}) + "Hello");
}

TEST(CloseFrame, HasCodeAndReason) {
  std::string out;
  append_close_frame(out, close_code::going_away, "bye");
  EXPECT_EQ(out, bytes({0x88, 5, 0x03, 0xe9}) + "bye");
}

TEST(CloseFrame, WithoutACodeItIsEmpty) {
  for (const uint16_t code : {close_code::none_given, close_code::abnormal}) {
    std::string out;
    append_close_frame(out, code, "not sent");
    EXPECT_EQ(out, bytes({0x88, 0}));
  }
}

TEST(CloseFrame, AReasonIsCutAtTheEndOfACharacter) {
  const std::string euro = "\xe2\x82\xac";
  for (size_t before = 110; before < 130; ++before) {
    const std::string reason = std::string(before, 'a') + euro + euro + euro;
    std::string out;
    append_close_frame(out, close_code::normal, reason);
    const std::string sent = out.substr(4);
    EXPECT_LE(sent.size(), 123U);
    EXPECT_GT(sent.size() + euro.size(), std::min<size_t>(reason.size(), 123)) << "no more than a character is missing";
    EXPECT_TRUE(reason.starts_with(sent));
    Utf8Check check;
    EXPECT_TRUE(check.take(sent) && check.complete()) << before;
    EXPECT_EQ(static_cast<unsigned char>(out[1]), sent.size() + 2);
  }
}

TEST(CloseFrame, AReasonEndsWhereItIsNoText) {
  std::string out;
  append_close_frame(out, close_code::normal, "good\xc3\xa4\xff and more");
  EXPECT_EQ(out.substr(4), "good\xc3\xa4") << "the peer would fail the connection";
}

TEST(CloseCode, OnlyWhatMayBeSent) {
  std::vector<unsigned> allowed;
  for (unsigned code = 0; code <= 70'000; ++code) {
    if (is_close_code(code)) allowed.push_back(code);
  }
  std::vector<unsigned> expected{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};
  for (unsigned code = 3000; code <= 4999; ++code) expected.push_back(code);
  EXPECT_EQ(allowed, expected);
}

}  // namespace
}  // namespace cweb::http
