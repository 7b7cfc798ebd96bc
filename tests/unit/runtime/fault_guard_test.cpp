#include "runtime/fault_guard.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <thread>

#include "runtime/fault_sink.h"
#include "runtime/heap.h"

namespace cweb::runtime {
namespace {

bool can_lock(FILE* stream) {
  bool locked = false;
  std::thread([&] {
    locked = ftrylockfile(stream) == 0;
    if (locked) funlockfile(stream);
  }).join();
  return locked;
}

TEST(FaultGuardTest, AStandardStreamThatACallHasLeftLockedIsFree) {
  const ThreadGuard guard;
  flockfile(stdout);
  flockfile(stdout);
  flockfile(stderr);
  EXPECT_FALSE(can_lock(stdout));
  after_fault({});
  EXPECT_TRUE(can_lock(stdout));
  EXPECT_TRUE(can_lock(stderr));
}

TEST(FaultGuardTest, AStreamThatAnotherThreadHoldsStaysLocked) {
  const ThreadGuard guard;
  flockfile(stdout);
  std::thread([] {
    const ThreadGuard other;
    after_fault({});
  }).join();
  EXPECT_FALSE(can_lock(stdout));
  funlockfile(stdout);
}

TEST(FaultGuardTest, ASectionIsLeftByTheJump) {
  const ThreadGuard guard;
  {
    const HostSection outer;
    const HostSection inner;
    EXPECT_TRUE(HostSection::entered());
  }
  EXPECT_FALSE(HostSection::entered());
}

TEST(FaultGuardTest, AThreadTellsItsCallsByNumber) {
  const ThreadGuard guard;
  CallingThread& thread = *CallingThread::current();
  const uint64_t before = thread.call();
  thread.call_begins();
  const uint64_t first = thread.call();
  EXPECT_EQ(first % 2, 1U);
  EXPECT_FALSE(thread.is_overdue());
  thread.call_ended();
  EXPECT_FALSE(thread.interrupt(first)) << "it is over";
  EXPECT_EQ(thread.call(), before + 2);
  thread.call_begins();
  EXPECT_NE(thread.call(), first);
  thread.call_ended();
}

TEST(FaultGuardTest, ExitOnAThreadOfTheServersIsADeathAndNoSuccess) {
  EXPECT_EXIT(
      {
        set_up_fault_guard();
        std::thread([] { std::exit(0); }).join();
      },
      testing::KilledBySignal(SIGABRT), "exit\\(\\) was called on a thread(.|\n)*died of SIGABRT; backtrace:");
}

TEST(HeapUseTest, CountsBlocksAndKeepsToItsLimit) {
  const auto heap = ModuleHeap::create(1 << 20);
  void* const half = heap->allocate(1 << 19);
  void* const small = heap->allocate(100);
  EXPECT_EQ(heap->use().bytes, (1U << 19) + 100);
  EXPECT_EQ(heap->use().blocks, 2U);
  EXPECT_EQ(heap->allocate(1 << 19), nullptr);
  EXPECT_EQ(resize_block(small, (1 << 19) + 1), nullptr);
  EXPECT_EQ(heap->use().bytes, (1U << 19) + 100) << "what was refused is not counted";
  void* const larger = resize_block(small, 1000);
  ASSERT_NE(larger, nullptr);
  EXPECT_EQ(heap->use().bytes, (1U << 19) + 1000);
  release_block(half);
  release_block(larger);
  EXPECT_EQ(heap->use().bytes, 0U);
  EXPECT_EQ(heap->use().blocks, 0U);
  // Where a block moves, both are there for a moment.
  EXPECT_GE(heap->use().peak_bytes, (1U << 19) + 1000);
  EXPECT_NE(heap->allocate(1 << 19), nullptr) << "what was given back can be had again";
}

}  // namespace
}  // namespace cweb::runtime
