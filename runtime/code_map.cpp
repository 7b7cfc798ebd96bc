#include "runtime/code_map.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

/// Written under the mutex, read without it. The id is written last, and taken away first, and is never another's
/// again: who finds the same id before and after has read what belongs to it.
struct Slot {
  std::atomic<uint64_t> version{0};  ///< 0: free
  std::atomic<uintptr_t> begin{0};
  std::atomic<size_t> bytes{0};

  CodeOwner owner() const {
    const uint64_t id = version.load(std::memory_order_acquire);
    const CodeOwner owner{id, begin.load(std::memory_order_acquire), bytes.load(std::memory_order_acquire)};
    return version.load(std::memory_order_relaxed) == id && id != 0 ? owner : CodeOwner{};
  }
};

/// More than there are images: the kernel grants a process fewer mappings. The pages of slots that were never used take
/// no memory.
constexpr size_t most_slots = 16'384;
std::array<Slot, most_slots> slots;
std::atomic<size_t> used_slots{0};  ///< behind these none is in use

/// Around all images there have been: most words of a stack lie outside.
std::atomic<uintptr_t> lowest{UINTPTR_MAX}, highest{0};

struct Versions {
  struct Entry {
    std::weak_ptr<ModuleVersion> version;
    Slot* slot;
  };
  std::mutex mutex;
  std::unordered_map<uint64_t, Entry> by_id;  // guarded by mutex
  bool was_full = false;                      // guarded by mutex: it is said once
};
Versions& versions() {
  static Versions* const versions = new Versions();  // never destroyed: threads end after main does
  return *versions;
}

}  // namespace

CodeOwner find_code(uintptr_t address) {
  if (address < lowest.load(std::memory_order_relaxed) || address >= highest.load(std::memory_order_relaxed)) return {};
  const size_t used = used_slots.load(std::memory_order_acquire);
  for (size_t i = 0; i < used; ++i) {
    const CodeOwner owner = slots[i].owner();
    if (owner.contains(address)) return owner;
  }
  return {};
}

std::shared_ptr<ModuleVersion> find_version(uint64_t id) {
  const std::lock_guard lock(versions().mutex);
  const auto found = versions().by_id.find(id);
  return found == versions().by_id.end() ? nullptr : found->second.version.lock();
}

void note_code(const std::shared_ptr<ModuleVersion>& version) {
  const std::span<const std::byte> memory = version->image().memory();
  if (memory.empty()) return;
  const auto begin = reinterpret_cast<uintptr_t>(memory.data());
  const std::lock_guard lock(versions().mutex);
  const auto slot = std::find_if(slots.begin(), slots.end(), [](const Slot& each) { return each.version.load() == 0; });
  if (slot == slots.end()) {
    if (!std::exchange(versions().was_full, true)) {
      log::warn(
          "more than {} module versions are in memory: when another module's code faults in one that is beyond, the "
          "report does not name it",
          most_slots);
    }
    return;
  }
  if (!versions().by_id.emplace(version->id(), Versions::Entry{version, &*slot}).second) return;
  lowest = std::min(lowest.load(), begin);
  highest = std::max(highest.load(), begin + memory.size());
  slot->begin.store(begin, std::memory_order_release);
  slot->bytes.store(memory.size(), std::memory_order_release);
  slot->version.store(version->id(), std::memory_order_release);
  used_slots = std::max(used_slots.load(), static_cast<size_t>(slot - slots.begin()) + 1);
}

void forget_code(uint64_t id) {
  const std::lock_guard lock(versions().mutex);
  const auto found = versions().by_id.find(id);
  if (found == versions().by_id.end()) return;
  found->second.slot->version.store(0);
  versions().by_id.erase(found);
  size_t used = used_slots.load();
  while (used > 0 && slots[used - 1].version.load() == 0) --used;
  used_slots.store(used, std::memory_order_release);
}

}  // namespace cweb::runtime
