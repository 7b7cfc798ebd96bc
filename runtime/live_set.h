// What modules have opened in libraries and not closed: closing anything else would corrupt the process's allocator,
// and an innocent module would meet it.
#pragma once

#include <mutex>
#include <unordered_set>

#include "runtime/fault_guard.h"

namespace cweb::runtime {

/// Thread-safe. For handles that do not belong to a version: a module may give one to another.
template <class Handle>
class LiveSet {
 public:
  /// What was given; null, which is how libraries tell that they could not, is left out.
  Handle add(Handle handle) {
    if (handle == Handle{}) return handle;
    const HostSection section;
    const std::lock_guard lock(mutex_);
    handles_.insert(handle);
    return handle;
  }
  /// False: it is none of these. Of two that close it at once, one does.
  bool take(Handle handle) {
    const HostSection section;
    const std::lock_guard lock(mutex_);
    return handles_.erase(handle) == 1;
  }
  bool has(Handle handle) {
    const HostSection section;
    const std::lock_guard lock(mutex_);
    return handles_.contains(handle);
  }

 private:
  std::mutex mutex_;
  std::unordered_set<Handle> handles_;  // guarded by mutex_
};

}  // namespace cweb::runtime
