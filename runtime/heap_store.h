// How a heap keeps its blocks. Two ways behind one interface: a jemalloc arena (arena_store), or process memory with a
// register of blocks (plain_store) for the sanitizers and for when arenas run out.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/heap.h"

namespace cweb::runtime {

class HeapStore {
 public:
  virtual ~HeapStore() = default;
  virtual void* allocate(size_t size, size_t alignment, bool zeroed) = 0;
  /// Of a live block of this store; likewise below.
  virtual size_t size_of(const void* block) const = 0;
  virtual void* resize(void* block, size_t size) = 0;
  virtual void release(void* block) = 0;
  /// See ModuleHeap::bytes.
  virtual size_t bytes() const = 0;
};

/// Null when no arena is to be had (there are about 4,000), or this build has no jemalloc.
std::unique_ptr<HeapStore> make_arena_store();
std::unique_ptr<HeapStore> make_plain_store();

/// What an address is to each of the two. `store` is set for live blocks.
BlockState find_arena_block(const void* address, HeapStore*& store);
BlockState find_plain_block(const void* address, HeapStore*& store);

}  // namespace cweb::runtime
