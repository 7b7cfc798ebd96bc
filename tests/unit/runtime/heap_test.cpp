#include "runtime/heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace cweb::runtime {
namespace {

size_t mapping_count() {
  std::ifstream maps("/proc/self/maps");
  size_t lines = 0;
  for (std::string line; std::getline(maps, line);) ++lines;
  return lines;
}

TEST(HeapTest, BlocksAreWritableAlignedAndKnown) {
  const auto heap = ModuleHeap::create();
  for (const size_t alignment : {size_t{16}, size_t{64}, size_t{4096}}) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}, size_t{1} << 20}) {
      void* block = heap->allocate(size, alignment);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0U);
      EXPECT_EQ(block_state(block), BlockState::live);
      EXPECT_GE(block_size(block), size);
      std::memset(block, 0xa5, size);
      release_block(block);
    }
  }
}

TEST(HeapTest, ZeroedBlocksAreZeroEvenWhenTheMemoryWasUsedBefore) {
  const auto heap = ModuleHeap::create();
  for (int round = 0; round < 100; ++round) {
    auto* block = static_cast<unsigned char*>(heap->allocate(300, 16, true));
    for (size_t i = 0; i < 300; ++i) ASSERT_EQ(block[i], 0) << round;
    std::memset(block, 0xff, 300);
    release_block(block);
  }
}

TEST(HeapTest, FreedBlocksAreNotLive) {
  const auto heap = ModuleHeap::create();
  void* block = heap->allocate(100);
  release_block(block);
  EXPECT_NE(block_state(block), BlockState::live);
}

TEST(HeapTest, AnyAddressMayBeAskedAbout) {
  const auto heap = ModuleHeap::create();
  auto* block = static_cast<char*>(heap->allocate(1000));
  int on_stack = 0;
  EXPECT_EQ(block_state(&on_stack), BlockState::foreign);
  EXPECT_EQ(block_state(reinterpret_cast<void*>(1)), BlockState::foreign);
  EXPECT_EQ(block_state(reinterpret_cast<void*>(UINTPTR_MAX)), BlockState::foreign);
  EXPECT_NE(block_state(block + 16), BlockState::live);
  EXPECT_NE(block_state(block + 3), BlockState::live);
  EXPECT_NE(block_state(block + (size_t{1} << 31)), BlockState::live);
}

TEST(HeapTest, ResizingKeepsTheContent) {
  const auto heap = ModuleHeap::create();
  auto* block = static_cast<char*>(heap->allocate(10));
  std::memcpy(block, "123456789", 10);
  for (size_t size = 20; size < (size_t{8} << 20); size *= 3) {
    block = static_cast<char*>(resize_block(block, size).block);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block_state(block), BlockState::live);
    EXPECT_STREQ(block, "123456789");
  }
  block = static_cast<char*>(resize_block(block, 10).block);
  EXPECT_STREQ(block, "123456789");
  release_block(block);
}

TEST(HeapTest, OneThatIsFullAnswersNull) {
  const auto heap = ModuleHeap::create();
  EXPECT_EQ(heap->allocate(ModuleHeap::max_bytes + 1), nullptr);
  EXPECT_EQ(heap->allocate(SIZE_MAX - 100), nullptr);
  void* block = heap->allocate(100);
  EXPECT_EQ(resize_block(block, ModuleHeap::max_bytes * 2).block, nullptr);
  EXPECT_EQ(block_state(block), BlockState::live);
}

TEST(HeapTest, ThreadsAllocateAndFreeEachOthersBlocks) {
  const auto heap = ModuleHeap::create();
  constexpr int thread_count = 8;
  std::vector<std::vector<char*>> blocks(thread_count);
  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        auto* block = static_cast<char*>(heap->allocate(static_cast<size_t>(i % 700 + 1)));
        *block = static_cast<char>(t);
        blocks[static_cast<size_t>(t)].push_back(block);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  threads.clear();
  for (int t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      for (char* block : blocks[static_cast<size_t>((t + 1) % thread_count)]) {
        EXPECT_EQ(*block, static_cast<char>((t + 1) % thread_count));
        release_block(block);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(HeapTest, AHeapGivesEverythingBack) {
  const auto use_one = [] {
    const auto heap = ModuleHeap::create();
    for (int i = 0; i < 100; ++i) ASSERT_NE(heap->allocate(10'000), nullptr);
  };
  for (int i = 0; i < 20; ++i) use_one();
  const size_t before = mapping_count();
  for (int i = 0; i < 500; ++i) use_one();
  EXPECT_LE(mapping_count(), before + 20);
}

TEST(HeapTest, ThereMayBeMoreHeapsThanArenas) {
  std::vector<std::unique_ptr<ModuleHeap>> heaps;
  for (int i = 0; i < 5000; ++i) {
    heaps.push_back(ModuleHeap::create());
    void* block = heaps.back()->allocate(100);
    ASSERT_NE(block, nullptr) << i;
    ASSERT_EQ(block_state(block), BlockState::live);
  }
}

}  // namespace
}  // namespace cweb::runtime
