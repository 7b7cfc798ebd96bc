// Counting on paths where a locked instruction or a shared cache line would be felt.
#pragma once

#include <atomic>
#include <cstdint>

namespace cweb {

/// A count that only rises. One thread at a time raises it with add(), any number of threads read it; or everybody
/// raises it with add_shared(). Not both.
class Tally {
 public:
  /// The only writer: a load, an addition and a store, no locked instruction.
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  /// One of several writers.
  void add_shared(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace cweb
