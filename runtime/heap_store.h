// How a heap keeps its blocks. Two ways behind one interface: a jemalloc arena (arena_store), or process memory with a
// register of blocks (plain_store) for the sanitizers and for when arenas run out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/heap.h"

namespace cweb::runtime {

/// Counts what is allocated, and keeps it within a limit. Thread-safe; one write to a shared word for each change.
class HeapCount {
 public:
  explicit HeapCount(size_t limit) : limit_(limit) {}

  /// A block more; false, with nothing changed, when that would be too much.
  bool add(size_t bytes);
  void remove(size_t bytes) { word_.fetch_sub(block | bytes, std::memory_order_relaxed); }
  /// A block that is there has another size now; false as above.
  bool resize(size_t from, size_t to);
  ModuleHeap::Use use() const;

 private:
  // Bytes in the lower bits, blocks above: the longest of both fit.
  static constexpr unsigned byte_bits = 36;
  static constexpr uint64_t block = uint64_t{1} << byte_bits;
  static constexpr uint64_t byte_mask = block - 1;
  static_assert(ModuleHeap::max_bytes < block / 2);
  void note_peak(size_t bytes);

  const size_t limit_;
  std::atomic<uint64_t> word_{0};
  std::atomic<size_t> peak_{0};
};

class HeapStore {
 public:
  explicit HeapStore(size_t limit) : count(limit) {}
  virtual ~HeapStore() = default;
  virtual void* allocate(size_t size, size_t alignment, bool zeroed) = 0;
  /// Of a block of this store that was live a moment ago; likewise below. 0 when another thread has freed it meanwhile.
  virtual size_t size_of(const void* block) const = 0;
  virtual ResizedBlock resize(void* block, size_t size) = 0;
  /// False when another thread has freed it meanwhile.
  virtual bool release(void* block) = 0;
  /// See ModuleHeap::bytes.
  virtual size_t bytes() const = 0;

  HeapCount count;
};

/// Null when no arena is to be had (there are about 4,000), or this build has no jemalloc.
std::unique_ptr<HeapStore> make_arena_store(size_t limit);
std::unique_ptr<HeapStore> make_plain_store(size_t limit);

/// What an address is to each of the two. `store` is set for live blocks.
BlockState find_arena_block(const void* address, HeapStore*& store);
BlockState find_plain_block(const void* address, HeapStore*& store);

}  // namespace cweb::runtime
