#include "runtime/thread_share.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace cweb::runtime {
namespace {

TEST(ThreadShareTest, BelongsToANameForAsLongAsSomebodyHasIt) {
  ThreadShares shares;
  auto share = shares.of("a");
  share->take();
  EXPECT_EQ(shares.of("a"), share);
  EXPECT_NE(shares.of("b"), share);
  share.reset();
  EXPECT_EQ(shares.of("a")->in_use(), 0) << "nobody has kept a call of it";
}

TEST(ThreadShareTest, ManyNamesThatNobodyHasDoNotCostTheOthersTheirs) {
  ThreadShares shares;
  const auto kept = shares.of("kept");
  for (int i = 0; i < 10'000; ++i) shares.of("module " + std::to_string(i));
  EXPECT_EQ(shares.of("kept"), kept);
}

TEST(ThreadShareTest, NoMoreAreTakenThanThereAre) {
  const auto share = std::make_shared<ThreadShare>();
  std::atomic<int> taken{0};
  std::vector<std::optional<ThreadShare::Use>> uses(4 * 40);
  {
    std::vector<std::jthread> threads;
    for (size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (size_t i = 0; i < 40; ++i) {
          if (auto use = share->try_take(ThreadShare::limit)) {
            uses[40 * thread + i].emplace(std::move(*use));
            ++taken;
          }
        }
      });
    }
  }
  EXPECT_EQ(taken, ThreadShare::limit);
  EXPECT_TRUE(share->is_full());
  EXPECT_TRUE(share->try_take(ThreadShare::limit + ThreadShare::reserve));
  uses.clear();
  EXPECT_EQ(share->in_use(), 0);
}

TEST(ThreadShareTest, CallsThatAreOverAreNotStuckWhoeverHasNotHeardOfItYet) {
  const auto share = std::make_shared<ThreadShare>();
  std::vector<ThreadShare::StuckCall> stuck;
  for (int i = 0; i < ThreadShare::limit; ++i) {
    share->take();
    stuck.emplace_back(share);
  }
  EXPECT_TRUE(share->is_full_of_stuck_calls());
  share->give_back();
  EXPECT_FALSE(share->is_full_of_stuck_calls());
  EXPECT_EQ(share->stuck(), ThreadShare::limit - 1);
  stuck.clear();
  EXPECT_EQ(share->stuck(), 0);
}

}  // namespace
}  // namespace cweb::runtime
