#include "server/line_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace cweb::server {
namespace {

std::string take(LineRing& ring, size_t at_most = SIZE_MAX) {
  const std::span<const char> front = ring.front();
  const std::string text(front.data(), std::min(front.size(), at_most));
  ring.pop(text.size());
  return text;
}

TEST(LineRingTest, gives_back_what_was_put_in) {
  LineRing ring(16);
  EXPECT_TRUE(ring.front().empty());
  EXPECT_TRUE(ring.push("one\n"));
  EXPECT_TRUE(ring.push("two\n"));
  EXPECT_EQ(take(ring), "one\ntwo\n");
  EXPECT_TRUE(ring.front().empty());
}

TEST(LineRingTest, a_line_without_room_is_left_out_whole) {
  LineRing ring(8);
  EXPECT_TRUE(ring.push("12345\n"));
  EXPECT_FALSE(ring.push("67\n"));
  EXPECT_TRUE(ring.push("6\n")) << "what fits still does";
  EXPECT_FALSE(ring.push("\n"));
  EXPECT_EQ(take(ring), "12345\n6\n");
  EXPECT_FALSE(ring.push("123456789"));
}

TEST(LineRingTest, a_line_over_the_end_comes_in_two_pieces) {
  LineRing ring(8);
  EXPECT_TRUE(ring.push("12345\n"));
  EXPECT_EQ(take(ring, 4), "1234");
  EXPECT_TRUE(ring.push("abcde\n"));
  EXPECT_EQ(take(ring), "5\nab");
  EXPECT_EQ(take(ring), "cde\n");
}

TEST(LineRingTest, nothing_is_lost_or_mixed_between_two_threads) {
  constexpr int lines = 2'000;
  LineRing ring(256);
  std::thread writer([&] {
    for (int i = 0; i < lines; ++i) {
      while (!ring.push("line " + std::to_string(i) + "\n")) std::this_thread::yield();
    }
  });
  std::string text;
  int expected = 0;
  while (expected < lines) {
    text += take(ring, 7);
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      ASSERT_EQ(text.substr(0, end), "line " + std::to_string(expected));
      text.erase(0, end + 1);
      ++expected;
    }
  }
  writer.join();
  EXPECT_TRUE(ring.front().empty());
}

}  // namespace
}  // namespace cweb::server
