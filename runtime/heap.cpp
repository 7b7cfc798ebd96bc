#include "runtime/heap.h"

#include <atomic>
#include <mutex>

#include "base/error.h"
#include "runtime/fault_guard.h"
#include "runtime/heap_store.h"

namespace cweb::runtime {
namespace {

/// Most versions allocate nothing: the store is made by the first block.
class LazyHeap final : public ModuleHeap {
 public:
  explicit LazyHeap(size_t limit) : limit_(limit) {}
  ~LazyHeap() override { delete store_.load(); }

  void* allocate(size_t size, size_t alignment, bool zeroed) override {
    const HostSection section;
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

  Use use() const override {
    const HeapStore* const store = store_.load(std::memory_order_acquire);
    return store == nullptr ? Use{} : store->count.use();
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
    std::unique_ptr<HeapStore> made = make_arena_store(limit_);
    if (!made) made = make_plain_store(limit_);
    store = made.release();
    store_.store(store, std::memory_order_release);
    return store;
  }

  const size_t limit_;
  std::mutex mutex_;
  std::atomic<HeapStore*> store_{nullptr};  // owned; written once, under mutex_
};

/// Null when it is no live block, or no more.
HeapStore* store_of(const void* block) {
  HeapStore* store = nullptr;
  const bool is_live =
      find_arena_block(block, store) == BlockState::live || find_plain_block(block, store) == BlockState::live;
  return is_live ? store : nullptr;
}

}  // namespace

bool HeapCount::add(size_t bytes) {
  if (bytes > limit_) return false;
  const size_t now = (word_.fetch_add(block | bytes, std::memory_order_relaxed) & byte_mask) + bytes;
  if (now > limit_) return remove(bytes), false;
  note_peak(now);
  return true;
}

bool HeapCount::resize(size_t from, size_t to) {
  if (to <= from) return word_.fetch_sub(from - to, std::memory_order_relaxed), true;
  const size_t more = to - from;
  if (more > limit_) return false;
  const size_t now = (word_.fetch_add(more, std::memory_order_relaxed) & byte_mask) + more;
  if (now > limit_) return word_.fetch_sub(more, std::memory_order_relaxed), false;
  note_peak(now);
  return true;
}

void HeapCount::note_peak(size_t bytes) {
  size_t peak = peak_.load(std::memory_order_relaxed);
  while (bytes > peak && !peak_.compare_exchange_weak(peak, bytes, std::memory_order_relaxed)) {
  }
}

ModuleHeap::Use HeapCount::use() const {
  const uint64_t word = word_.load(std::memory_order_relaxed);
  return {.bytes = word & byte_mask, .blocks = word >> byte_bits, .peak_bytes = peak_.load(std::memory_order_relaxed)};
}

std::unique_ptr<ModuleHeap> ModuleHeap::create(size_t limit) {
  return std::make_unique<LazyHeap>(limit);
}

BlockState block_state(const void* address) {
  const HostSection section;
  HeapStore* store = nullptr;
  const BlockState state = find_arena_block(address, store);
  return state == BlockState::foreign ? find_plain_block(address, store) : state;
}

size_t block_size(const void* block) {
  const HostSection section;
  const HeapStore* const store = store_of(block);
  return store == nullptr ? 0 : store->size_of(block);
}

ResizedBlock resize_block(void* block, size_t size) {
  const HostSection section;
  HeapStore* const store = store_of(block);
  return store == nullptr ? ResizedBlock{} : store->resize(block, size);
}

bool release_block(void* block) {
  const HostSection section;
  HeapStore* const store = store_of(block);
  return store != nullptr && store->release(block);
}

}  // namespace cweb::runtime
