// Deadlines of calls that somebody waits for, with functions of the test's own as the module's code.
#include "runtime/deadline_watch.h"

#include <fenv.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "runtime/code_map.h"
#include "runtime/invoke.h"
#include "runtime/loop_gate.h"
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
void breaks() {
  __asm__ volatile("int3");
}

class DeadlineWatchTest : public testing::Test {
 protected:
  DeadlineWatchTest() : runtime_(*Runtime::create()) { went_on = false; }
  ~DeadlineWatchTest() override { EXPECT_TRUE(runtime_->spare_threads().wait_until_idle(30s)); }

  /// In the module's own code, as its image says, or in what it calls.
  static std::shared_ptr<ModuleVersion> version(bool in_own_code) {
    auto image = std::make_unique<FakeImage>();
    image->executable_is_inside = in_own_code;
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

std::atomic<bool> is_as_expected;
void disturbs() {
  asm volatile("fld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1");
  feenableexcept(FE_DIVBYZERO);
  fesetround(FE_UPWARD);
#ifndef CWEB_SANITIZED  // whose own code would run with these
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | uint64_t{1} << 18 | uint64_t{1} << 10);
#endif
}
void disturbs_and_breaks() {
  disturbs();
  breaks();
}
void looks() {
  volatile long double number = 3.5L;
  number = number * 2 + number;
  const uint64_t flags = __builtin_ia32_readeflags_u64();
  is_as_expected = (flags & (uint64_t{1} << 18 | uint64_t{1} << 10)) == 0 && fegetround() == FE_TONEAREST &&
                   fegetexcept() == 0 && number == 10.5L;
}

TEST_F(DeadlineWatchTest, WhatACallHasSetInTheProcessorIsPutBackWhenItEnds) {
  using Function = void (*)();
  for (const auto& [function, ending] : {std::pair<Function, Ending>(disturbs, Ending::returned),
                                         std::pair<Function, Ending>(disturbs_and_breaks, Ending::stopped)}) {
    EXPECT_EQ(call(function, true, 30s).ending, ending);
    is_as_expected = false;
    EXPECT_EQ(call(looks, true, 30s).ending, Ending::returned) << "on the same thread, which has nothing else to do";
    EXPECT_TRUE(is_as_expected);
  }
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

TEST_F(DeadlineWatchTest, AFaultInAnotherVersionsCodeIsNotedAsItsAndLeavesNoLibraryInTheMiddle) {
  auto image = std::make_unique<FakeImage>();
  image->addresses = {reinterpret_cast<const std::byte*>(&breaks), 64};
  const auto other = std::make_shared<ModuleVersion>(2, std::move(image));
  const WaitedCall unknown = call(breaks, false, 30s);
  EXPECT_EQ(unknown.ending, Ending::stopped);
  EXPECT_TRUE(unknown.fault.outside_module) << "nobody knows whose it is";
  note_code(other);
  const WaitedCall known = call(breaks, false, 30s);
  EXPECT_EQ(known.ending, Ending::stopped);
  EXPECT_FALSE(known.fault.outside_module);
  ASSERT_GT(known.fault.frame_count, 0U);
  EXPECT_EQ(known.fault.frames[0].version, other->id());
}

TEST_F(DeadlineWatchTest, AStuckCallIsGivenUpUntilSomebodyReportsItAndCountsUntilItReturns) {
  const auto stuck = version(false);
  std::atomic<int> told{0};
  std::latch reported(1), may_end(1);
  LoopGate loop(
      0, [] {}, [] {},
      [&](const auto& thread, uint64_t call, const auto& of) {
        EXPECT_EQ(of, stuck);
        // There was no thread for the report the first two times.
        if (++told == 3 && thread->begin_report(call)) reported.count_down();
      });
  stuck->threads->take();
  SpareThreads::Task task = [&] {
    CallingThread& thread = *CallingThread::current();
    thread.call_begins();
    runtime_->deadlines().add({.thread = thread.shared_from_this(),
                               .call = thread.call(),
                               .version = stuck,
                               .due_ns = monotonic_ns(),
                               .gate = &loop});
    may_end.wait();
    thread.call_ended();
  };
  ASSERT_TRUE(runtime_->spare_threads().run(task));
  reported.wait();
  EXPECT_EQ(stuck->threads->stuck(), 1);
  may_end.count_down();
  // The watch has come by once more then.
  while (stuck->threads.use_count() > 1) std::this_thread::yield();
  EXPECT_EQ(told, 3);
  EXPECT_EQ(stuck->threads->stuck(), 0);
  runtime_->deadlines().forget(loop);
}

}  // namespace
}  // namespace cweb::runtime
