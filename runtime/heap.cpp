#include "runtime/heap.h"

#include <atomic>
#include <mutex>

#include "base/error.h"
#include "runtime/heap_store.h"

namespace cweb::runtime {
namespace {

/// Most versions allocate nothing: the store is made by the first block.
class LazyHeap final : public ModuleHeap {
 public:
  ~LazyHeap() override { delete store_.load(); }

  void* allocate(size_t size, size_t alignment, bool zeroed) override {
    HeapStore* store = store_.load(std::memory_order_acquire);
    if (store == nullptr) store = make_store();
    return store->allocate(size, alignment, zeroed);
  }

  bool owns(const void* address) const override {
    HeapStore* store = nullptr;
    if (find_arena_block(address, store) != BlockState::live && find_plain_block(address, store) != BlockState::live) {
      return false;
    }
    return store == store_.load(std::memory_order_acquire);
  }

  size_t bytes() const override {
    const HeapStore* const store = store_.load(std::memory_order_acquire);
    return store == nullptr ? 0 : store->bytes();
  }

 private:
  HeapStore* make_store() {
    const std::lock_guard lock(mutex_);
    HeapStore* store = store_.load(std::memory_order_relaxed);
    if (store != nullptr) return store;
    std::unique_ptr<HeapStore> made = make_arena_store();
    if (!made) made = make_plain_store();
    store = made.release();
    store_.store(store, std::memory_order_release);
    return store;
  }

  std::mutex mutex_;
  std::atomic<HeapStore*> store_{nullptr};  // owned; written once, under mutex_
};

HeapStore& store_of(const void* block) {
  HeapStore* store = nullptr;
  if (find_arena_block(block, store) != BlockState::live) {
    CWEB_ASSERT(find_plain_block(block, store) == BlockState::live);
  }
  return *store;
}

}  // namespace

std::unique_ptr<ModuleHeap> ModuleHeap::create() {
  return std::make_unique<LazyHeap>();
}

BlockState block_state(const void* address) {
  HeapStore* store = nullptr;
  const BlockState state = find_arena_block(address, store);
  return state == BlockState::foreign ? find_plain_block(address, store) : state;
}

size_t block_size(const void* block) {
  return store_of(block).size_of(block);
}

void* resize_block(void* block, size_t size) {
  return store_of(block).resize(block, size);
}

void release_block(void* block) {
  store_of(block).release(block);
}

}  // namespace cweb::runtime
