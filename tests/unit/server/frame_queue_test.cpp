// What is appended comes out in the same order, whatever it is held as and however it is sent.
#include "server/frame_queue.h"

#include <gtest/gtest.h>

namespace cweb::server {
namespace {

std::string send_all(FrameQueue& queue, size_t at_once) {
  std::string sent;
  while (!queue.empty()) {
    const std::string_view piece = queue.front().substr(0, at_once);
    sent.append(piece);
    queue.sent(piece.size());
  }
  return sent;
}

TEST(FrameQueueTest, own_and_shared_frames_leave_in_the_order_in_which_they_came) {
  const auto small = std::make_shared<const std::string>(100, 's');
  const auto large = std::make_shared<const std::string>(100'000, 'l');
  std::string expected;
  for (const size_t at_once : {size_t{1}, size_t{77}, size_t{1} << 20}) {
    FrameQueue queue;
    expected.clear();
    for (int i = 0; i < 5; ++i) {
      queue.append(std::string(50'000, static_cast<char>('a' + i)));
      queue.append(small);
      queue.append(large);
      expected += std::string(50'000, static_cast<char>('a' + i)) + *small + *large;
    }
    EXPECT_EQ(queue.bytes(), expected.size());
    EXPECT_TRUE(send_all(queue, at_once) == expected) << "in pieces of " << at_once;
    EXPECT_EQ(queue.bytes(), 0U);
  }
}

TEST(FrameQueueTest, small_frames_leave_in_one_piece) {
  FrameQueue queue;
  for (int i = 0; i < 100; ++i) queue.append(std::string("frame"));
  EXPECT_EQ(queue.front().size(), 500U);
}

TEST(FrameQueueTest, a_large_shared_frame_is_not_copied) {
  const auto shared = std::make_shared<const std::string>(1 << 20, 'x');
  FrameQueue queue;
  queue.append(std::string("before"));
  queue.append(shared);
  queue.sent(6);
  EXPECT_EQ(queue.front().data(), shared->data());
  queue.sent(shared->size());
  EXPECT_EQ(shared.use_count(), 1) << "what was sent is let go of";
}

TEST(FrameQueueTest, a_swapped_queue_goes_on_where_it_was) {
  FrameQueue queue;
  queue.append(std::string("0123456789"));
  queue.sent(4);
  FrameQueue other;
  other.append(std::string("other"));
  queue.swap(other);
  EXPECT_EQ(queue.front(), "other");
  EXPECT_EQ(other.front(), "456789");
  EXPECT_EQ(other.bytes(), 6U);
}

}  // namespace
}  // namespace cweb::server
