// How many connections all loops may have together: what a flood can take from the process is bounded here, and not by
// the descriptors, which modules need too.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace cweb::server {

/// Any thread. Outlives the places that it gave.
class ConnectionLimit {
 public:
  explicit ConnectionLimit(size_t most) : most_(most) {}
  ConnectionLimit(const ConnectionLimit&) = delete;
  ConnectionLimit& operator=(const ConnectionLimit&) = delete;

  struct GiveBack {
    void operator()(ConnectionLimit* limit) const { limit->taken_.fetch_sub(1, std::memory_order_relaxed); }
  };
  /// Held by a connection for as long as it is open.
  using Place = std::unique_ptr<ConnectionLimit, GiveBack>;

  /// A place for one more connection; empty when all are taken.
  Place take() {
    if (taken_.fetch_add(1, std::memory_order_relaxed) < most_) return Place(this);
    taken_.fetch_sub(1, std::memory_order_relaxed);
    return {};
  }
  size_t most() const { return most_; }

 private:
  const size_t most_;
  std::atomic<size_t> taken_{0};
};

}  // namespace cweb::server
