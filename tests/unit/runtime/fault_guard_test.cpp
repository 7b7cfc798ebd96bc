#include "runtime/fault_guard.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <atomic>
#include <barrier>
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
  EXPECT_EQ(thread.interrupt(first), CallingThread::Progress::over);
  EXPECT_EQ(thread.interrupt(thread.next_call()), CallingThread::Progress::to_begin);
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
  const size_t both = heap->use().bytes;
  EXPECT_GE(both, (1U << 19) + 100);
  EXPECT_LT(both, (1U << 20) - (1U << 18)) << "what keeping them takes is little";
  EXPECT_EQ(heap->use().blocks, 2U);
  EXPECT_EQ(heap->allocate(1 << 19), nullptr);
  const ResizedBlock refused = resize_block(small, (1 << 19) + 1);
  EXPECT_TRUE(refused.was_live);
  EXPECT_EQ(refused.block, nullptr);
  EXPECT_EQ(heap->use().bytes, both) << "what was refused is not counted";
  void* const larger = resize_block(small, 1000).block;
  ASSERT_NE(larger, nullptr);
  EXPECT_GE(heap->use().bytes, both + 800);
  const size_t most = heap->use().bytes;
  EXPECT_TRUE(release_block(half));
  EXPECT_TRUE(release_block(larger));
  EXPECT_EQ(heap->use().bytes, 0U);
  EXPECT_EQ(heap->use().blocks, 0U);
  EXPECT_GE(heap->use().peak_bytes, most);
  EXPECT_NE(heap->allocate(1 << 19), nullptr) << "what was given back can be had again";
}

TEST(HeapUseTest, SmallBlocksCountAsMuchAsTheyTake) {
  constexpr size_t limit = 4 << 20;
  const auto heap = ModuleHeap::create(limit);
  size_t blocks = 0;
  while (blocks < limit && heap->allocate(1) != nullptr) ++blocks;
  EXPECT_GT(blocks, 1000U);
  EXPECT_LT(blocks, limit) << "a byte each would be all that is counted";
  EXPECT_LE(heap->bytes(), 2 * limit);
}

TEST(HeapUseTest, OfThreadsThatFreeOrMoveOneBlockAtATimeOneSucceeds) {
  const auto heap = ModuleHeap::create();
  constexpr int rounds = 2'000;
  void* block = nullptr;
  std::atomic<int> succeeded{0};
  std::barrier together(2, [&]() noexcept { block = heap->allocate(100); });
  const auto release = [&] {
    for (int i = 0; i < rounds; ++i) {
      together.arrive_and_wait();
      succeeded += release_block(block) ? 1 : 0;
    }
  };
  const auto resize = [&] {
    for (int i = 0; i < rounds; ++i) {
      together.arrive_and_wait();
      succeeded += resize_block(block, 5'000).was_live ? 1 : 0;
    }
  };
  std::thread releasing(release);
  resize();
  releasing.join();
  EXPECT_EQ(succeeded, rounds);
}

}  // namespace
}  // namespace cweb::runtime
