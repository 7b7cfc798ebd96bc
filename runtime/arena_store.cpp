// A jemalloc arena per version. All arenas take their memory from one reserved region, cut into slots of 4 GiB: whose a
// block is shows in its address, and giving a slot back gives back everything in it.
#include "runtime/heap_store.h"

#ifndef CWEB_JEMALLOC

namespace cweb::runtime {

std::unique_ptr<HeapStore> make_arena_store(size_t) {
  return nullptr;
}
BlockState find_arena_block(const void*, HeapStore*&) {
  return BlockState::foreign;
}

}  // namespace cweb::runtime

#else

#include <jemalloc/jemalloc.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"

namespace cweb::runtime {
namespace {

constexpr size_t slot_bytes = ModuleHeap::max_bytes;
constexpr size_t slot_count = 4096;
/// Rises with demand; at least this much becomes writable at a time, so that mprotect is rare.
constexpr size_t step_bytes = size_t{256} << 10;

/// The reserved addresses. Reserving costs nothing: the pages are inaccessible until a slot makes them writable.
class Region {
 public:
  Region() {
    void* address =
        mmap(nullptr, slot_bytes * (slot_count + 1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED) return;  // a limit on address space: plain stores then
    base_ = (reinterpret_cast<uintptr_t>(address) + slot_bytes - 1) / slot_bytes * slot_bytes;
    for (size_t slot = slot_count; slot > 0; --slot) free_slots_.push_back(slot - 1);
    CWEB_ASSERT(getrandom(&secret_, sizeof secret_, 0) == sizeof secret_);
  }

  bool take_slot(size_t& slot) {
    const std::lock_guard lock(mutex_);
    if (free_slots_.empty()) return false;
    slot = free_slots_.back();
    free_slots_.pop_back();
    return true;
  }
  void give_back(size_t slot) {
    const std::lock_guard lock(mutex_);
    free_slots_.push_back(slot);
  }
  uintptr_t slot_address(size_t slot) const { return base_ + slot * slot_bytes; }
  uint64_t secret() const { return secret_; }

  bool contains(uintptr_t address) const { return base_ != 0 && address - base_ < slot_bytes * slot_count; }
  std::atomic<class ArenaStore*>& owner(uintptr_t address) { return owners_[(address - base_) / slot_bytes]; }

 private:
  uintptr_t base_ = 0;
  uint64_t secret_ = 0;
  std::mutex mutex_;
  std::vector<size_t>
      free_slots_;  // guarded by mutex_; the last one given back is used next: its page tables are there
  std::array<std::atomic<class ArenaStore*>, slot_count> owners_{};
};

Region& region() {
  // Never destroyed: threads of modules may still free while the process ends.
  static Region* const region = new Region();
  return *region;
}

/// Stands before every block. jemalloc does not notice a double or wild free; this word does.
struct alignas(16) Header {
  uint64_t tag;    ///< of a live block: its address mixed with the region's secret
  uint64_t shape;  ///< what jemalloc gave, in bytes, and below it the exponent of offset()

  static constexpr unsigned exponent_bits = 6;
  void set(size_t size, size_t offset) {
    shape = size << exponent_bits | static_cast<uint64_t>(std::countr_zero(offset));
  }
  size_t size() const { return shape >> exponent_bits; }
  /// Bytes from what jemalloc gave to the block: its alignment, so a power of two.
  size_t offset() const { return size_t{1} << (shape & ((1U << exponent_bits) - 1)); }
};

Header* header_of(const void* block) {
  return static_cast<Header*>(const_cast<void*>(block)) - 1;
}
uint64_t live_tag(const void* block) {
  return reinterpret_cast<uintptr_t>(block) ^ region().secret();
}

class ArenaStore final : public HeapStore {
 public:
  ArenaStore(size_t slot, size_t limit) : HeapStore(limit), slot_(slot), base_(region().slot_address(slot)) {
    hooks_.store = this;
    hooks_.alloc = [](extent_hooks_t* hooks, void* wanted, size_t size, size_t alignment, bool* zero, bool* commit,
                      unsigned) {
      return static_cast<Hooks*>(hooks)->store->take(wanted, size, alignment, zero, commit);
    };
    // Extents are kept for the arena's next need: the slot is given back whole.
    hooks_.dalloc = [](extent_hooks_t*, void*, size_t, bool, unsigned) { return true; };
    hooks_.purge_forced = [](extent_hooks_t*, void* address, size_t, size_t offset, size_t length, unsigned) {
      return madvise(static_cast<char*>(address) + offset, length, MADV_DONTNEED) != 0;
    };
    hooks_.split = [](extent_hooks_t*, void*, size_t, size_t, size_t, bool, unsigned) { return false; };
    hooks_.merge = [](extent_hooks_t*, void*, size_t, void*, size_t, bool, unsigned) { return false; };
  }

  ~ArenaStore() override {
    if (created_) {
      for (Shard& shard : shards_) {
        if (shard.made) mallctl("tcache.destroy", nullptr, nullptr, &shard.tcache, sizeof shard.tcache);
      }
      region().owner(base_).store(nullptr);
      mallctl(("arena." + std::to_string(arena_) + ".destroy").c_str(), nullptr, nullptr, nullptr, 0);
    }
    // A fresh mapping over the used part: pages and page tables go, and it is one mapping with its neighbours again.
    if (writable_ > 0) {
      void* const cleared = mmap(reinterpret_cast<void*>(base_), writable_, PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
      CWEB_ASSERT(cleared != MAP_FAILED);
    }
    region().give_back(slot_);
  }

  bool create() {
    extent_hooks_t* hooks = &hooks_;
    size_t size = sizeof arena_;
    created_ = mallctl("arenas.create", &arena_, &size, &hooks, sizeof hooks) == 0;
    if (created_) region().owner(base_).store(this);
    return created_;
  }

  BlockState state_of(const void* address) const {
    const uintptr_t offset = reinterpret_cast<uintptr_t>(address) - base_;
    // Everything below used_ is readable, so looking at a header never faults.
    if (offset < sizeof(Header) || offset >= used_.load(std::memory_order_acquire) || offset % alignof(Header) != 0) {
      return BlockState::freed;
    }
    return __atomic_load_n(&header_of(address)->tag, __ATOMIC_RELAXED) == live_tag(address) ? BlockState::live
                                                                                            : BlockState::freed;
  }

  void* allocate(size_t size, size_t alignment, bool zeroed) override {
    if (size > slot_bytes || alignment > slot_bytes / 4) return nullptr;
    // The header takes a whole unit of alignment, so that the block behind it is aligned as well.
    const int shape = MALLOCX_ALIGN(alignment);
    const size_t taken = nallocx(size + alignment, shape);
    if (!count.add(taken)) return nullptr;
    const ShardUse use(*this);
    void* const given = mallocx(size + alignment, use.flags() | shape | (zeroed ? MALLOCX_ZERO : 0));
    if (given == nullptr) return count.remove(taken), nullptr;
    return finish(given, taken, alignment);
  }

  size_t size_of(const void* block) const override {
    const Header* const header = header_of(block);
    return header->size() - header->offset();
  }

  ResizedBlock resize(void* block, size_t size) override {
    if (!claim(block)) return {};
    const size_t offset = header_of(block)->offset();
    const size_t old_size = header_of(block)->size();
    char* const old = static_cast<char*>(block) - offset;
    const int shape = MALLOCX_ALIGN(offset);
    const size_t new_size = size > slot_bytes ? 0 : nallocx(size + offset, shape);
    if (new_size == 0 || !count.resize(old_size, new_size)) return {true, keep(old, old_size, offset)};
    const ShardUse use(*this);
    void* const moved = rallocx(old, size + offset, use.flags() | shape);
    if (moved != nullptr) return {true, finish(moved, new_size, offset)};
    count.resize(new_size, old_size);
    return {true, keep(old, old_size, offset)};
  }

  bool release(void* block) override {
    if (!claim(block)) return false;
    const Header* const header = header_of(block);
    count.remove(header->size());
    const ShardUse use(*this);
    dallocx(static_cast<char*>(block) - header->offset(), use.flags() & ~MALLOCX_ARENA(arena_));
    return true;
  }

  size_t bytes() const override { return used_.load(std::memory_order_relaxed); }

 private:
  struct Hooks : extent_hooks_t {
    ArenaStore* store = nullptr;
    Hooks() : extent_hooks_t() {}
  };

  /// A thread cache of jemalloc's makes a malloc/free pair eight times as fast, and must not be used by two threads at
  /// a time. Threads are spread over a few; who finds his taken goes without.
  struct alignas(64) Shard {
    std::atomic<bool> taken{false};
    bool made = false;
    unsigned tcache = 0;
  };

  class ShardUse {
   public:
    explicit ShardUse(ArenaStore& store) : flags_(MALLOCX_ARENA(store.arena_)) {
      static std::atomic<unsigned> threads{0};
      thread_local const unsigned thread = threads.fetch_add(1, std::memory_order_relaxed);
      Shard& shard = store.shards_[thread % store.shards_.size()];
      if (!shard.taken.exchange(true, std::memory_order_acquire)) shard_ = &shard;
      if (shard_ && !shard_->made) {
        size_t size = sizeof shard.tcache;
        shard_->made = mallctl("tcache.create", &shard.tcache, &size, nullptr, 0) == 0;
      }
      flags_ |= shard_ && shard_->made ? MALLOCX_TCACHE(shard.tcache) : MALLOCX_TCACHE_NONE;
    }
    ~ShardUse() {
      if (shard_) shard_->taken.store(false, std::memory_order_release);
    }
    ShardUse(const ShardUse&) = delete;
    ShardUse& operator=(const ShardUse&) = delete;
    int flags() const { return flags_; }

   private:
    Shard* shard_ = nullptr;
    int flags_;
  };

  /// Takes the mark of a live block away. Of several threads that free or move one at a time the exchange lets one.
  static bool claim(void* block) {
    uint64_t tag = live_tag(block);
    return __atomic_compare_exchange_n(&header_of(block)->tag, &tag, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  }

  /// A claimed block that stays as it was: null, for who has wanted another.
  static void* keep(void* given, size_t size, size_t offset) {
    finish(given, size, offset);
    return nullptr;
  }

  static void* finish(void* given, size_t size, size_t offset) {
    char* block = static_cast<char*>(given) + offset;
    Header* header = header_of(block);
    header->set(size, offset);
    __atomic_store_n(&header->tag, live_tag(block), __ATOMIC_RELAXED);
    return block;
  }

  /// jemalloc wants memory for the arena: the next addresses of the slot.
  void* take(void* wanted, size_t size, size_t alignment, bool* zero, bool* commit) {
    if (wanted != nullptr) return nullptr;
    const std::lock_guard lock(mutex_);
    const size_t start = (used_.load(std::memory_order_relaxed) + alignment - 1) / alignment * alignment;
    if (start > slot_bytes || size > slot_bytes - start) return nullptr;
    const size_t end = start + size;
    if (end > writable_) {
      const size_t writable = std::min(slot_bytes, (end + step_bytes - 1) / step_bytes * step_bytes);
      void* const from = reinterpret_cast<void*>(base_ + writable_);
      if (mprotect(from, writable - writable_, PROT_READ | PROT_WRITE) != 0) return nullptr;
      writable_ = writable;
    }
    used_.store(end, std::memory_order_release);
    *zero = true;
    *commit = true;
    return reinterpret_cast<void*>(base_ + start);
  }

  const size_t slot_;
  const uintptr_t base_;
  Hooks hooks_;
  unsigned arena_ = 0;
  bool created_ = false;
  std::array<Shard, 4> shards_;
  std::mutex mutex_;
  size_t writable_ = 0;          // guarded by mutex_; bytes from base_ that can be written
  std::atomic<size_t> used_{0};  // written under mutex_; bytes from base_ that jemalloc has
};

}  // namespace

std::unique_ptr<HeapStore> make_arena_store(size_t limit) {
  size_t slot = 0;
  if (!region().take_slot(slot)) return nullptr;
  auto store = std::make_unique<ArenaStore>(slot, limit);
  if (!store->create()) return nullptr;
  return store;
}

BlockState find_arena_block(const void* address, HeapStore*& store) {
  const auto number = reinterpret_cast<uintptr_t>(address);
  if (!region().contains(number)) return BlockState::foreign;
  ArenaStore* owner = region().owner(number).load(std::memory_order_acquire);
  if (owner == nullptr) return BlockState::freed;
  store = owner;
  return owner->state_of(address);
}

}  // namespace cweb::runtime

#endif
