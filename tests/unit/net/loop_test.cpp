#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

namespace cweb::net {
namespace {

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    near.reset(fds[0]);
    far.reset(fds[1]);
  }
  UniqueFd near, far;
};

class Target final : public EventTarget {
 public:
  explicit Target(std::function<void()> action = {}) : action_(std::move(action)) {}
  void on_events(uint32_t) override {
    ++events;
    if (action_) action_();
  }
  int events = 0;

 private:
  std::function<void()> action_;
};

/// One whole turn.
void turn(Loop& loop) {
  loop.poll(10'000);
  loop.run_tasks();
  while (loop.has_event()) loop.handle_event();
}

TEST(LoopTest, EventsReachTheirTarget) {
  const auto loop = *Loop::create();
  Pair pair;
  Target target;
  ASSERT_TRUE(loop->watch(pair.near.get(), EPOLLIN, target));
  ASSERT_EQ(write(pair.far.get(), "x", 1), 1);
  turn(*loop);
  EXPECT_EQ(target.events, 1);
}

TEST(LoopTest, AnEventThatWasFetchedDoesNotReachATargetThatIsGone) {
  const auto loop = *Loop::create();
  Pair a, b;
  Target* other_of_a = nullptr;
  Target* other_of_b = nullptr;
  Target first([&] { loop->unwatch(b.near.get(), *other_of_a); });
  Target second([&] { loop->unwatch(a.near.get(), *other_of_b); });
  other_of_a = &second;
  other_of_b = &first;
  ASSERT_TRUE(loop->watch(a.near.get(), EPOLLIN, first));
  ASSERT_TRUE(loop->watch(b.near.get(), EPOLLIN, second));
  ASSERT_EQ(write(a.far.get(), "x", 1), 1);
  ASSERT_EQ(write(b.far.get(), "x", 1), 1);
  turn(*loop);
  EXPECT_EQ(first.events + second.events, 1);
}

TEST(LoopTest, PostedTasksRunOnTheDriverInOrder) {
  const auto loop = *Loop::create();
  std::vector<int> order;
  std::thread([&] {
    loop->post([&] { order.push_back(1); });
    loop->post([&] { order.push_back(2); });
  }).join();
  turn(*loop);
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(LoopTest, APostWakesALoopThatSleeps) {
  const auto loop = *Loop::create();
  bool ran = false;
  std::thread poster([&] { loop->post([&] { ran = true; }); });
  while (!ran) turn(*loop);
  poster.join();
  std::thread waker([&] { loop->wake(); });
  loop->poll(-1);
  waker.join();
}

TEST(LoopTest, TasksMayPostTasks) {
  const auto loop = *Loop::create();
  bool ran = false;
  loop->post([&] { loop->post([&] { ran = true; }); });
  while (!ran) turn(*loop);
}

}  // namespace
}  // namespace cweb::net
