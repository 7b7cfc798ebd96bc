#include "runtime/emulated_tls.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace cweb::runtime {
namespace {

/// One thread's blocks of one version, by index.
using ThreadBlocks = std::vector<void*>;

void free_blocks(ThreadBlocks& blocks) {
  for (void* block : blocks) std::free(block);
  blocks.clear();
}

void* make_block(const EmulatedVariable& variable) {
  const size_t alignment = std::max(variable.alignment, sizeof(void*));
  const size_t size = (variable.size + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, std::max(size, alignment));
  if (block == nullptr) return nullptr;
  if (variable.initial_value != nullptr) {
    std::memcpy(block, variable.initial_value, variable.size);
  } else {
    std::memset(block, 0, variable.size);
  }
  return block;
}

}  // namespace

struct EmulatedTls::Blocks {
  /// Versions that live now, so that a thread that ends can tell whether its blocks are still there.
  struct Living {
    std::mutex mutex;
    std::unordered_map<uint64_t, Blocks*> by_id;  // guarded by mutex
    uint64_t last_id = 0;                         // guarded by mutex
  };
  static Living& living() {
    static Living* const living = new Living();  // never destroyed: threads end after main does
    return *living;
  }

  /// What one thread has of all versions.
  class Thread {
   public:
    ~Thread() {
      const std::lock_guard lock(living().mutex);
      for (const auto& [id, blocks] : of_version_) {
        const auto owner = living().by_id.find(id);
        if (owner != living().by_id.end()) owner->second->drop_locked(blocks);
      }
    }
    /// The calling thread's of this version.
    static ThreadBlocks& blocks(Blocks& version) {
      thread_local Thread thread;
      return thread.of(version);
    }

   private:
    ThreadBlocks& of(Blocks& version) {
      if (last_id_ == version.id) return *last_;
      auto found = of_version_.find(version.id);
      if (found == of_version_.end()) found = of_version_.emplace(version.id, add(version)).first;
      last_id_ = version.id;
      last_ = found->second;
      return *last_;
    }
    /// Also forgets the versions that are gone: a thread outlives many.
    ThreadBlocks* add(Blocks& version) {
      const std::lock_guard lock(living().mutex);
      std::erase_if(of_version_, [](const auto& entry) { return !living().by_id.contains(entry.first); });
      return &version.threads.emplace_back();
    }

    std::unordered_map<uint64_t, ThreadBlocks*> of_version_;
    uint64_t last_id_ = 0;
    ThreadBlocks* last_ = nullptr;
  };

  Blocks() {
    const std::lock_guard lock(living().mutex);
    id = ++living().last_id;
    living().by_id.emplace(id, this);
  }
  ~Blocks() {
    const std::lock_guard lock(living().mutex);
    living().by_id.erase(id);
    for (ThreadBlocks& blocks : threads) free_blocks(blocks);
  }
  void drop_locked(ThreadBlocks* blocks) {
    free_blocks(*blocks);
    threads.remove_if([&](const ThreadBlocks& candidate) { return &candidate == blocks; });
  }

  uint64_t id = 0;
  std::list<ThreadBlocks> threads;  // guarded by living().mutex; each vector belongs to its thread
  std::atomic<uintptr_t> variables{0};
};

EmulatedTls::EmulatedTls() : blocks_(std::make_unique<Blocks>()) {}
EmulatedTls::~EmulatedTls() = default;

uintptr_t EmulatedTls::new_index() {
  return ++blocks_->variables;
}

uintptr_t EmulatedTls::last_index() const {
  return blocks_->variables;
}

void* EmulatedTls::find(uintptr_t index) {
  const ThreadBlocks& blocks = Blocks::Thread::blocks(*blocks_);
  return index <= blocks.size() && index != 0 ? blocks[index - 1] : nullptr;
}

void* EmulatedTls::make(const EmulatedVariable& variable) {
  ThreadBlocks& blocks = Blocks::Thread::blocks(*blocks_);
  if (blocks.size() < variable.index) blocks.resize(variable.index, nullptr);
  void*& block = blocks[variable.index - 1];
  if (block == nullptr) block = make_block(variable);
  return block;
}

}  // namespace cweb::runtime
