#include "http/websocket_deflate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cweb::http {
namespace {

using testing::Not;

constexpr size_t limit = 1 << 20;

std::string bytes(std::initializer_list<unsigned> values) {
  std::string text;
  for (const unsigned value : values) text += static_cast<char>(value);
  return text;
}

/// The message, or "fault CODE".
std::string inflated(std::string_view payload, size_t most_bytes = limit) {
  MessageInflater inflater;
  std::string message = "what was there";
  if (auto done = inflater.inflate(payload, most_bytes, message); !done) {
    EXPECT_LE(message.size(), most_bytes);
    return "fault " + std::to_string(done.error().code);
  }
  return message;
}

std::string deflated(std::string_view message, int window_bits = 15) {
  MessageDeflater deflater(window_bits);
  std::string payload = "what was there";
  deflater.deflate(message, payload);
  return payload;
}

std::string noise(size_t count) {
  std::mt19937 random(1951);
  std::string text(count, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(MessageInflater, TheExamplesOfTheRfc) {
  // RFC 7692, 7.2.3.1: a compressed block.
  EXPECT_EQ(inflated(bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), "Hello");
  // 7.2.3.3: a block without compression.
  EXPECT_EQ(inflated(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})), "Hello");
  // 7.2.3.4: a block that says it is the last one.
  EXPECT_EQ(inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})), "Hello");
  // 7.2.3.5: two blocks, with an empty one between them.
  EXPECT_EQ(inflated(bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})), "Hello");
  // 7.2.3.6: the empty message.
  EXPECT_EQ(inflated(bytes({0x00})), "");
}

TEST(MessageInflater, ALastBlockMayBeAllThereIs) {
  EXPECT_EQ(inflated(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), "Hello");
  const std::string last = bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  EXPECT_EQ(inflated(last + last), "HelloHello") << "the next one begins at the next byte";
  EXPECT_EQ(inflated(last + bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), "HelloHello");
}

TEST(MessageInflater, NothingIsTheEmptyMessage) {
  EXPECT_EQ(inflated(""), "");
}

TEST(MessageInflater, AMessageKnowsNothingOfTheOneBefore) {
  // RFC 7692, 7.2.3.2: with its window taken over, the second "Hello" would be this.
  MessageInflater inflater;
  std::string message;
  EXPECT_TRUE(inflater.inflate(bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}), limit, message));
  EXPECT_EQ(message, "Hello");
  const auto taken_over = inflater.inflate(bytes({0xf2, 0x00, 0x11, 0x00, 0x00}), limit, message);
  ASSERT_FALSE(taken_over);
  EXPECT_EQ(taken_over.error().code, close_code::not_the_type);
  EXPECT_TRUE(inflater.inflate(bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}), limit, message));
  EXPECT_EQ(message, "Hello") << "a fault leaves nothing behind";
}

TEST(MessageInflater, WhatIsNotDeflateDataIsAFault) {
  EXPECT_EQ(inflated(bytes({0xff, 0xff, 0xff})), "fault 1007");  // a block type that there is not
  EXPECT_EQ(inflated(bytes({0x00, 0x05, 0x00, 0x00, 0x00})), "fault 1007");
  const std::string payload = deflated("a message of which the end is missing, or the beginning");
  for (size_t length = 1; length + 1 < payload.size(); ++length) {
    EXPECT_EQ(inflated(payload.substr(0, length)), "fault 1007") << "the first " << length << " bytes";
  }
  EXPECT_EQ(inflated(payload + bytes({0x00, 0x00, 0xff, 0xff})), "fault 1007") << "the end of a flush is not sent";
}

TEST(MessageInflater, StopsAtTheLimit) {
  for (const size_t length : {1U, 2U, 511U, 512U, 513U, 100'000U}) {
    const std::string message(length, 'x');
    const std::string payload = deflated(message);
    EXPECT_EQ(inflated(payload, length), message);
    EXPECT_EQ(inflated(payload, length + 1), message);
    EXPECT_EQ(inflated(payload, length - 1), "fault 1009");
    EXPECT_EQ(inflated(payload, 0), "fault 1009");
  }
  EXPECT_EQ(inflated(deflated(""), 0), "");
}

TEST(MessageInflater, ABombIsDefusedInLittleMemory) {
  const std::string bomb = deflated(std::string(16 << 20, '\0'));
  ASSERT_LT(bomb.size(), 20'000U);
  MessageInflater inflater;
  std::string message;
  const auto done = inflater.inflate(bomb, 1 << 20, message);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, close_code::too_big);
  EXPECT_LE(message.size(), 1U << 20);
  EXPECT_LE(message.capacity(), 2U << 20);
}

TEST(MessageDeflater, WhatItMakesInflatesToTheSame) {
  for (const int window_bits : {9, 10, 12, 15}) {
    for (const size_t length : {0U, 1U, 2U, 100U, 32'767U, 32'768U, 65'535U, 65'536U, 400'000U}) {
      std::string text(length, ' ');
      for (size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i * i % 7);
      EXPECT_EQ(inflated(deflated(text, window_bits)), text) << window_bits << ' ' << length;
      EXPECT_EQ(inflated(deflated(noise(length), window_bits)), noise(length)) << window_bits << ' ' << length;
    }
  }
}

TEST(MessageDeflater, TheEndOfTheFlushIsNotSent) {
  EXPECT_EQ(deflated(""), bytes({0x00}));
  EXPECT_EQ(deflated("Hello"), bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})) << "as in RFC 7692, 7.2.3.1";
  EXPECT_THAT(deflated(noise(100'000)), Not(testing::EndsWith(bytes({0x00, 0x00, 0xff, 0xff}))));
}

TEST(MessageDeflater, EachMessageIsForItself) {
  MessageDeflater deflater;
  std::string first, second;
  deflater.deflate("the same text twice", first);
  deflater.deflate("the same text twice", second);
  EXPECT_EQ(first, second);
}

TEST(MessageDeflater, KeepsToItsWindow) {
  // What repeats from farther away than the window is not found.
  const std::string block = noise(600);
  EXPECT_LT(deflated(block + block, 15).size(), 800U);
  EXPECT_GT(deflated(block + block, 9).size(), 1'100U);
}

}  // namespace
}  // namespace cweb::http
