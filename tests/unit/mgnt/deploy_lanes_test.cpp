#include "mgnt/deploy_lanes.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace cweb::mgnt {
namespace {

TEST(DeployLanes, the_oldest_ticket_of_a_lane_goes_first) {
  DeployLanes lanes;
  std::optional older = lanes.draw("a");
  const auto younger = lanes.draw("a");
  EXPECT_TRUE(older->is_first());
  EXPECT_FALSE(younger.is_first());
  older.reset();
  EXPECT_TRUE(younger.is_first());
  younger.wait_turn();
}

TEST(DeployLanes, lanes_do_not_wait_for_each_other) {
  DeployLanes lanes;
  const auto first = lanes.draw("a");
  const auto second = lanes.draw("b");
  second.wait_turn();
  EXPECT_TRUE(first.is_first());
}

TEST(DeployLanes, a_waiting_ticket_goes_on_when_the_one_before_it_leaves) {
  DeployLanes lanes;
  std::optional older = lanes.draw("a");
  auto younger = lanes.draw("a");
  std::atomic<bool> older_is_done = false;
  std::thread waiter([&] {
    younger.wait_turn();
    EXPECT_TRUE(older_is_done);
  });
  older_is_done = true;
  older.reset();
  waiter.join();
}

TEST(DeployLanes, a_ticket_with_a_wrong_guess_is_turned_away_after_a_younger_one_took_effect) {
  DeployLanes lanes;
  auto older = lanes.draw("guess");
  {
    auto younger = lanes.draw("name");
    ASSERT_TRUE(younger.enter("name"));
    younger.took_effect();
  }
  EXPECT_FALSE(older.enter("name"));
}

TEST(DeployLanes, a_younger_ticket_that_failed_turns_nobody_away) {
  DeployLanes lanes;
  auto older = lanes.draw("guess");
  {
    auto younger = lanes.draw("name");
    ASSERT_TRUE(younger.enter("name"));
  }
  EXPECT_TRUE(older.enter("name"));
}

TEST(DeployLanes, effects_of_one_name_do_not_touch_another) {
  DeployLanes lanes;
  auto older = lanes.draw("guess");
  {
    auto younger = lanes.draw("name");
    ASSERT_TRUE(younger.enter("name"));
    younger.took_effect();
  }
  EXPECT_TRUE(older.enter("other"));
}

TEST(DeployLanes, what_only_looks_is_never_too_late_and_waits_for_no_lane) {
  DeployLanes lanes;
  auto check = lanes.draw_unordered();
  {
    auto younger = lanes.draw("name");
    ASSERT_TRUE(younger.enter("name"));
    younger.took_effect();
  }
  EXPECT_TRUE(check.enter("name"));
}

TEST(DeployLanes, one_ticket_at_a_time_acts_on_a_name) {
  DeployLanes lanes;
  std::optional inside = lanes.draw("a");
  ASSERT_TRUE(inside->enter("name"));
  auto other = lanes.draw("b");
  std::atomic<bool> left = false;
  std::thread waiter([&] {
    EXPECT_TRUE(other.enter("name"));
    EXPECT_TRUE(left);
  });
  left = true;
  inside.reset();
  waiter.join();
}

TEST(DeployLanes, effects_on_a_name_never_go_back_in_time_whatever_the_guesses_were) {
  constexpr int threads = 4;
  constexpr int rounds = 500;
  DeployLanes lanes;
  std::array<std::atomic<int>, 2> inside{};
  std::array<int, 2> last_effect{};
  std::mutex draw_mutex;
  int drawn = 0;
  std::atomic<int> effects = 0;
  const auto deploy_often = [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const size_t name = static_cast<size_t>((thread + round) % 2);
      const bool guesses_right = round % 3 != 0;
      std::unique_lock lock(draw_mutex);
      const int number = ++drawn;
      auto ticket = lanes.draw(guesses_right ? std::to_string(name) : "");
      lock.unlock();
      ticket.wait_turn();
      if (!ticket.enter(std::to_string(name))) continue;
      EXPECT_EQ(inside[name].fetch_add(1), 0);
      EXPECT_GT(number, last_effect[name]);
      last_effect[name] = number;
      inside[name].fetch_sub(1);
      ticket.took_effect();
      ++effects;
    }
  };
  std::vector<std::thread> workers;
  for (int thread = 0; thread < threads; ++thread) workers.emplace_back(deploy_often, thread);
  for (std::thread& worker : workers) worker.join();
  EXPECT_GT(effects, 0);
  EXPECT_TRUE(lanes.draw("0").is_first());
}

}  // namespace
}  // namespace cweb::mgnt
