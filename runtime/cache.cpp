#include "runtime/cache.h"

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/heap.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

/// What an entry takes besides its texts: nodes of two containers, and what malloc rounds up.
constexpr size_t entry_overhead = 192;

size_t cost_of(std::string_view name, size_t bytes = 0) {
  return name.size() + bytes + entry_overhead;
}

int64_t end_after(int64_t ttl_ms) {
  const int64_t now_ms = monotonic_ms();
  return ttl_ms > INT64_MAX - now_ms ? 0 : now_ms + ttl_ms;
}

}  // namespace

Cache::Pointer Cache::describe_locked(ModuleVersion& version, void* value) const {
  if (version.image().contains(value)) {
    return {.value = value, .heap = nullptr, .image_of = version.id(), .module = version.config.name};
  }
  if (block_state(value) == BlockState::foreign) return {.value = value, .heap = nullptr, .module = {}};
  // A block that another name holds already may be an older version's.
  if (!version.heap().owns(value)) {
    for (const auto& [name, each] : pointers_) {
      if (each.heap && each.heap->owns(value)) return {.value = value, .heap = each.heap, .module = {}};
    }
  }
  return {.value = value, .heap = version.heap_owner(), .module = {}};
}

bool Cache::set(ModuleVersion& version, std::string_view name, void* value, Existing existing) {
  Pointer replaced;  // its heap may go with it, which is not for the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = pointers_.find(name); found != pointers_.end()) {
    Pointer& known = found->second;
    const bool is_outdated =
        known.image_of != 0 && known.image_of < version.id() && known.module == version.config.name;
    if (existing == Existing::keep && !is_outdated) return true;
    replaced = std::exchange(known, describe_locked(version, value));
    return true;
  }
  if (cost_of(name) > most_bytes_ - pointer_bytes_) return false;
  pointers_.emplace(name, describe_locked(version, value));
  pointer_bytes_ += cost_of(name);
  return true;
}

void* Cache::get(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = pointers_.find(name);
  return found == pointers_.end() ? nullptr : found->second.value;
}

bool Cache::remove(std::string_view name) {
  Pointer removed;
  const std::lock_guard lock(mutex_);
  const auto found = pointers_.find(name);
  if (found == pointers_.end()) return false;
  removed = std::move(found->second);
  pointer_bytes_ -= cost_of(name);
  pointers_.erase(found);
  return true;
}

void Cache::forget(const ModuleVersion& version) {
  std::vector<std::string> dropped;
  {
    const std::lock_guard lock(mutex_);
    for (auto each = pointers_.begin(); each != pointers_.end();) {
      if (each->second.image_of != version.id()) {
        ++each;
        continue;
      }
      pointer_bytes_ -= cost_of(each->first);
      dropped.push_back(each->first);
      each = pointers_.erase(each);
    }
  }
  constexpr size_t longest_shown = 80;
  for (const std::string& name : dropped) {
    log::warn("cache: \"{}\" is dropped: it was a static variable of module {} version {}, which is gone",
              name.substr(0, longest_shown), version.config.name, version.number);
  }
}

Cache::Entries::iterator Cache::find_locked(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return entries_.end();
  const auto entry = found->second;
  if (entry->ends_ms == 0 || entry->ends_ms > monotonic_ms()) return entry;
  erase_locked(entry);
  return entries_.end();
}

void Cache::erase_locked(Entries::iterator entry) {
  bytes_ -= cost_of(entry->name, entry->bytes->size());
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

bool Cache::put(std::string_view name, std::string_view bytes, int64_t ttl_ms) {
  if (bytes.size() > most_bytes_ || cost_of(name, bytes.size()) > most_bytes_) return false;
  const int64_t ends_ms = ttl_ms == 0 ? 0 : end_after(ttl_ms);
  Entries made;
  made.push_back({.name = std::string(name), .bytes = std::make_shared<const std::string>(bytes), .ends_ms = ends_ms});
  const std::lock_guard lock(mutex_);
  if (const auto known = find_locked(name); known != entries_.end()) erase_locked(known);
  while (bytes_ + cost_of(name, bytes.size()) > most_bytes_) erase_locked(std::prev(entries_.end()));
  by_name_.emplace(made.front().name, made.begin());
  entries_.splice(entries_.begin(), made);
  bytes_ += cost_of(name, bytes.size());
  return true;
}

Cache::Bytes Cache::fetch(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto entry = find_locked(name);
  if (entry == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->bytes;
}

bool Cache::expire(std::string_view name, int64_t ttl_ms) {
  const std::lock_guard lock(mutex_);
  const auto entry = find_locked(name);
  if (entry == entries_.end()) return false;
  if (ttl_ms == 0) {
    erase_locked(entry);
  } else {
    entry->ends_ms = end_after(ttl_ms);
  }
  return true;
}

size_t Cache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace cweb::runtime
