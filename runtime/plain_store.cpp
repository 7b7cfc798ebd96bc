// Blocks of the process's own malloc, and a register that tells whose they are. Slower than an arena; here for the
// sanitizers, which bring their own malloc, and for the version that comes when the arenas are used up.
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "runtime/heap_store.h"

namespace cweb::runtime {
namespace {

/// Under a sanitizer memory is not given out again for long, so that an address that was freed and is freed again is a
/// double free. Without one it may be somebody else's by then.
#ifdef CWEB_SANITIZED
constexpr size_t most_freed_remembered = 1024;  ///< by shard
#else
constexpr size_t most_freed_remembered = 0;
#endif

struct Block {
  HeapStore* store;
  size_t size;  ///< that it takes, and that may be used
};

/// All live blocks of all plain stores. A block is found by its address alone, so there is one register for the
/// process.
class BlockRegister {
 public:
  void add(const void* address, Block block) {
    Shard& shard = shard_of(address);
    const std::lock_guard lock(shard.mutex);
    shard.freed.erase(address);
    shard.blocks.emplace(address, block);
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  bool find(const void* address, Block& block) {
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    Shard& shard = shard_of(address);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.blocks.find(address);
    if (found == shard.blocks.end()) return false;
    block = found->second;
    return true;
  }
  bool remove(const void* address) {
    Shard& shard = shard_of(address);
    const std::lock_guard lock(shard.mutex);
    if (shard.blocks.erase(address) == 0) return false;
    if (shard.freed.size() >= most_freed_remembered) shard.freed.clear();
    if (most_freed_remembered > 0) shard.freed.insert(address);
    count_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  bool was_freed(const void* address) {
    if (most_freed_remembered == 0) return false;
    Shard& shard = shard_of(address);
    const std::lock_guard lock(shard.mutex);
    return shard.freed.contains(address);
  }
  std::vector<void*> remove_all(const HeapStore* store) {
    std::vector<void*> removed;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      std::erase_if(shard.blocks, [&](const auto& entry) {
        if (entry.second.store != store) return false;
        removed.push_back(const_cast<void*>(entry.first));
        return true;
      });
    }
    count_.fetch_sub(removed.size(), std::memory_order_relaxed);
    return removed;
  }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<const void*, Block> blocks;  // guarded by mutex
    std::unordered_set<const void*> freed;          // guarded by mutex
  };
  Shard& shard_of(const void* address) { return shards_[(reinterpret_cast<uintptr_t>(address) >> 4) % shards_.size()]; }

  std::array<Shard, 64> shards_;
  std::atomic<size_t> count_{0};
};

BlockRegister& blocks() {
  // Never destroyed: threads of modules may still free while the process ends.
  static BlockRegister* const blocks = new BlockRegister();
  return *blocks;
}

class PlainStore final : public HeapStore {
 public:
  using HeapStore::HeapStore;
  ~PlainStore() override {
    for (void* block : blocks().remove_all(this)) std::free(block);
  }

  void* allocate(size_t size, size_t alignment, bool zeroed) override {
    const size_t rounded = (size + alignment) / alignment * alignment;
    if (size > ModuleHeap::max_bytes || !count.add(rounded)) return nullptr;
    void* block = std::aligned_alloc(alignment, rounded);
    if (block == nullptr) return count.remove(rounded), nullptr;
    if (zeroed) std::memset(block, 0, rounded);
    blocks().add(block, {this, rounded});
    return block;
  }

  size_t size_of(const void* block) const override {
    Block found{};
    return blocks().find(block, found) ? found.size : 0;
  }

  ResizedBlock resize(void* block, size_t size) override {
    Block old{};
    if (!blocks().find(block, old)) return {};
    void* const moved = allocate(size, 16, false);
    if (moved == nullptr) return {true, nullptr};
    // Of several threads that free or move one block at a time the register lets one, whose block stays until then.
    if (!blocks().remove(block)) return release(moved), ResizedBlock{};
    std::memcpy(moved, block, std::min(size, old.size));
    count.remove(old.size);
    std::free(block);
    return {true, moved};
  }

  bool release(void* block) override {
    Block old{};
    if (!blocks().find(block, old) || !blocks().remove(block)) return false;
    count.remove(old.size);
    std::free(block);
    return true;
  }

  size_t bytes() const override { return count.use().bytes; }
};

}  // namespace

std::unique_ptr<HeapStore> make_plain_store(size_t limit) {
  return std::make_unique<PlainStore>(limit);
}

BlockState find_plain_block(const void* address, HeapStore*& store) {
  Block block{};
  if (!blocks().find(address, block)) return blocks().was_freed(address) ? BlockState::freed : BlockState::foreign;
  store = block.store;
  return BlockState::live;
}

}  // namespace cweb::runtime
