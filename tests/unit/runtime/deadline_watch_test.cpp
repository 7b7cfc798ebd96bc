// Deadlines of calls that somebody waits for, with functions of the test's own as the module's code.
#include "runtime/deadline_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include "runtime/invoke.h"
#include "runtime/runtime.h"
#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

using namespace std::chrono_literals;
using Ending = WaitedCall::Ending;

volatile unsigned long steps = 0;
std::latch* gate = nullptr;
std::atomic<bool> went_on{false};

void returns() {}
void loops() {
  for (;;) steps = steps + 1;
}
void sleeps_long() {
  sleep(60);
  went_on = true;
}
void waits() {
  gate->wait();
}

class DeadlineWatchTest : public testing::Test {
 protected:
  DeadlineWatchTest() : runtime_(*Runtime::create()) { went_on = false; }
  ~DeadlineWatchTest() override { EXPECT_TRUE(runtime_->spare_threads().wait_until_idle(30s)); }

  /// In the module's own code, as its image says, or in what it calls.
  static std::shared_ptr<ModuleVersion> version(bool in_own_code) {
    auto image = std::make_unique<FakeImage>();
    image->everything_is_inside = in_own_code;
    return std::make_shared<ModuleVersion>(1, std::move(image));
  }
  WaitedCall call(void (*function)(), bool in_own_code, std::chrono::milliseconds deadline) {
    return call_and_wait(runtime_->spare_threads(), runtime_->deadlines(), version(in_own_code), function, deadline);
  }

  std::unique_ptr<Runtime> runtime_;
};

TEST_F(DeadlineWatchTest, ACallInTimeIsLeftAlone) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(call(returns, true, 30s).ending, Ending::returned);
}

TEST_F(DeadlineWatchTest, ALoopInTheModulesCodeIsEnded) {
  const WaitedCall ended = call(loops, true, 50ms);
  EXPECT_EQ(ended.ending, Ending::stopped);
  EXPECT_EQ(ended.fault.kind, FaultRecord::Kind::deadline);
  EXPECT_FALSE(ended.fault.outside_module);
  EXPECT_EQ(ended.fault.deadline_ns, std::chrono::nanoseconds(50ms).count());
  EXPECT_GT(ended.fault.frame_count, 0U);
}

TEST_F(DeadlineWatchTest, ACallWhoseDeadlineComesBeforeItBeginsIsEndedAllTheSame) {
  for (int i = 0; i < 100; ++i) EXPECT_NE(call(loops, true, 0ms).ending, Ending::returned);
  EXPECT_TRUE(runtime_->spare_threads().wait_until_idle(30s)) << "one loops on";
}

TEST_F(DeadlineWatchTest, ASleepIsInterruptedAndItsCallCountsAsOverdue) {
  const WaitedCall ended = call(sleeps_long, false, 50ms);
  EXPECT_EQ(ended.ending, Ending::stopped);
  EXPECT_EQ(ended.fault.kind, FaultRecord::Kind::deadline);
  EXPECT_TRUE(went_on) << "it was not in the module's code, and came back by itself";
}

TEST_F(DeadlineWatchTest, ACallThatCannotBeEndedIsWaitedForNoLonger) {
  std::latch opening(1);
  gate = &opening;
  EXPECT_EQ(call(waits, false, 50ms).ending, Ending::overdue);
  opening.count_down();
  EXPECT_TRUE(runtime_->spare_threads().wait_until_idle(30s)) << "it returns when it can";
}

TEST_F(DeadlineWatchTest, TheThreadOfACallThatWasEndedTakesOthers) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(call(loops, true, 10ms).ending, Ending::stopped);
    EXPECT_EQ(call(returns, true, 30s).ending, Ending::returned);
  }
}

}  // namespace
}  // namespace cweb::runtime
