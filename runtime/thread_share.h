// How many of the server's threads one module has, over all its instances and versions: calls off their loops, and
// constructors, onload and unload. A module that fills its share is refused new calls; others keep theirs.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace cweb::runtime {

/// Of the modules of one name, for as long as a version of it is in memory: a call keeps its version, so neither a
/// restart nor a removal gets around what is stuck. Thread-safe.
class ThreadShare : public std::enable_shared_from_this<ThreadShare> {
 public:
  /// Threads that calls may have; beyond that new calls are refused (503).
  static constexpr int limit = 64;
  /// So many more for what a deploy runs, so that a mended module can take the place of one that is stuck.
  static constexpr int reserve = 16;

  /// Around a call that was, or will be, taken off its loop.
  void take() { in_use_.fetch_add(1, std::memory_order_relaxed); }
  void give_back() { in_use_.fetch_sub(1, std::memory_order_relaxed); }

  int in_use() const { return in_use_.load(std::memory_order_relaxed); }
  /// Calls among them that are overdue and could not be ended.
  int stuck() const;
  bool is_full() const { return in_use() >= limit; }
  bool is_full_of_stuck_calls() const { return stuck() >= limit; }

  /// One thread, until it is destroyed.
  class Use {
   public:
    explicit Use(std::shared_ptr<ThreadShare> share) : share_(std::move(share)) {}
    Use(Use&&) noexcept = default;
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (share_) share_->give_back();
    }

   private:
    std::shared_ptr<ThreadShare> share_;
  };
  /// Nothing when more than `most` would be in use.
  std::optional<Use> try_take(int most);

  /// One call that could not be ended, until it is known to be over.
  class StuckCall {
   public:
    explicit StuckCall(std::shared_ptr<ThreadShare> share) : share_(std::move(share)) {
      share_->stuck_.fetch_add(1, std::memory_order_relaxed);
    }
    StuckCall(StuckCall&&) noexcept = default;
    StuckCall& operator=(StuckCall&& other) noexcept {
      std::swap(share_, other.share_);
      return *this;
    }
    ~StuckCall() {
      if (share_) share_->stuck_.fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    std::shared_ptr<ThreadShare> share_;
  };

 private:
  std::atomic<int> in_use_{0};
  std::atomic<int> stuck_{0};
};

/// The shares by name. Thread-safe.
class ThreadShares {
 public:
  /// The one that every version of this name has.
  std::shared_ptr<ThreadShare> of(const std::string& module);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<ThreadShare>> shares_;  // guarded by mutex_
  size_t sweep_at_ = 1024;                                    // guarded by mutex_
};

}  // namespace cweb::runtime
