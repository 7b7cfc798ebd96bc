#include "runtime/emulated_tls.h"

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

/// What the compiler emits for each variable (compiler-rt, emutls.c: __emutls_control).
struct Control {
  size_t size;
  size_t alignment;
  uintptr_t index;            ///< 0 until the first use; then counts the version's variables from 1
  const void* initial_value;  ///< null: all zero
};

/// One thread's blocks of one version, by index.
using ThreadBlocks = std::vector<void*>;

void free_blocks(ThreadBlocks& blocks) {
  for (void* block : blocks) std::free(block);
  blocks.clear();
}

void* make_block(const Control& control) {
  const size_t alignment = std::max(control.alignment, sizeof(void*));
  const size_t size = (control.size + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, std::max(size, alignment));
  if (block == nullptr) return nullptr;
  if (control.initial_value != nullptr) {
    std::memcpy(block, control.initial_value, control.size);
  } else {
    std::memset(block, 0, control.size);
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
    ThreadBlocks& of(Blocks& version) {
      if (last_id_ == version.id) return *last_;
      auto found = of_version_.find(version.id);
      if (found == of_version_.end()) found = of_version_.emplace(version.id, add(version)).first;
      last_id_ = version.id;
      last_ = found->second;
      return *last_;
    }

   private:
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

void* EmulatedTls::address(void* control_address) {
  auto& control = *static_cast<Control*>(control_address);
  uintptr_t index = __atomic_load_n(&control.index, __ATOMIC_ACQUIRE);
  if (index == 0) {
    const uintptr_t next = ++blocks_->variables;
    // Two threads that come first: the later takes the earlier one's number, and its own stays unused.
    if (__atomic_compare_exchange_n(&control.index, &index, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      index = next;
  }
  thread_local Blocks::Thread thread;
  ThreadBlocks& blocks = thread.of(*blocks_);
  if (blocks.size() < index) blocks.resize(index, nullptr);
  void*& block = blocks[index - 1];
  if (block == nullptr) block = make_block(control);
  return block;
}

}  // namespace cweb::runtime
