#include "runtime/spare_threads.h"

#include <gtest/gtest.h>

#include <barrier>
#include <future>
#include <latch>

#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

using namespace std::chrono_literals;

TEST(SpareThreadsTest, RunsTasksSideBySideUpToItsLimit) {
  std::barrier all_there(4);
  std::latch go(1);
  SpareThreads threads(3);
  for (int i = 0; i < 3; ++i) {
    SpareThreads::Task task = [&] {
      all_there.arrive_and_wait();
      go.wait();
    };
    ASSERT_TRUE(threads.run(task));
  }
  all_there.arrive_and_wait();
  EXPECT_FALSE(threads.available());
  bool ran = false;
  SpareThreads::Task one_more = [&] { ran = true; };
  EXPECT_FALSE(threads.run(one_more));
  EXPECT_TRUE(one_more) << "a task that was refused is still the caller's";
  go.count_down();
  ASSERT_TRUE(threads.wait_until_idle(30s));
  EXPECT_TRUE(threads.available());
  ASSERT_TRUE(threads.run(one_more));
  ASSERT_TRUE(threads.wait_until_idle(30s));
  EXPECT_TRUE(ran);
}

TEST(SpareThreadsTest, AThreadThatIsDoneIsUsedAgain) {
  SpareThreads threads(100);
  for (int i = 0; i < 50; ++i) {
    std::promise<void> ran;
    SpareThreads::Task task = [&] { ran.set_value(); };
    ASSERT_TRUE(threads.run(task));
    ran.get_future().wait();
    ASSERT_TRUE(threads.wait_until_idle(30s));
  }
  EXPECT_LE(threads.count(), 2U);
}

TEST(SpareThreadsTest, KnowsWhoIsInsideAVersion) {
  const auto version = make_version(1, "a", {});
  std::latch inside(1), leave(1);
  SpareThreads threads(2);
  SpareThreads::Task task = [&] {
    SpareThreads::set_inside(version.get());
    inside.count_down();
    leave.wait();
    SpareThreads::set_inside(nullptr);
  };
  ASSERT_TRUE(threads.run(task));
  inside.wait();
  EXPECT_TRUE(threads.anyone_inside(version.get()));
  leave.count_down();
  ASSERT_TRUE(threads.wait_until_idle(30s));
  EXPECT_FALSE(threads.anyone_inside(version.get()));
}

TEST(SpareThreadsTest, WaitingForIdleEndsWhenTheTimeIsOver) {
  std::latch go(1);
  SpareThreads threads(1);
  SpareThreads::Task task = [&] { go.wait(); };
  ASSERT_TRUE(threads.run(task));
  EXPECT_FALSE(threads.wait_until_idle(1ms));
  go.count_down();
}

}  // namespace
}  // namespace cweb::runtime
