// What the calls of one version come to: answers by route and status, durations, calls that were stopped. Each loop
// counts in memory of its own, which is made when the loop first calls the version; somebody who reads adds up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/latency_buckets.h"
#include "base/tally.h"

namespace cweb::runtime {

/// More loops than this there are not.
inline constexpr size_t max_loops = 64;

/// Answers are counted by the first digit of their status, from 2 to 9.
inline constexpr size_t status_class_count = 8;
using StatusCounts = std::array<uint64_t, status_class_count>;

/// Answers by class of status, on a cache line of their own.
struct alignas(64) StatusTally {
  std::array<Tally, status_class_count> classes;

  /// `digit` is the status's first, 2 to 9.
  void add(int digit) { classes[static_cast<size_t>(digit - 2) % status_class_count].add(); }
  void add_shared(int digit) { classes[static_cast<size_t>(digit - 2) % status_class_count].add_shared(); }
  void add_to(StatusCounts& counts) const {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += classes[i].read();
  }
};

/// Calls of one version or of several, over all loops.
struct CallTotals {
  std::array<uint64_t, latency_bucket_count> calls_by_duration{};
  uint64_t ticks = 0;    ///< of all calls together
  uint64_t stopped = 0;  ///< calls that the module ended with exit, abort or the like

  uint64_t calls() const;
};

class CallCounters {
 public:
  explicit CallCounters(size_t routes) : routes_(routes) {}
  ~CallCounters();
  CallCounters(const CallCounters&) = delete;
  CallCounters& operator=(const CallCounters&) = delete;

  /// A call that has returned and whose answer is made.
  struct Call {
    size_t route;
    int status_digit;  ///< the first of its answer's status
    size_t bucket;     ///< of its duration
    uint64_t ticks;    ///< its duration
    bool stopped;      ///< the module ended it with exit, abort or the like
  };
  /// Driver of that loop.
  void count(size_t loop, const Call& call) {
    Shard& counts = shard(loop);
    counts.calls_by_duration[call.bucket].add();
    counts.ticks.add(call.ticks);
    counts.routes[call.route].add(call.status_digit);
    if (call.stopped) counts.stopped.add();
  }
  /// Any thread: for calls that lost their loop.
  void count_detached(const Call& call);
  /// Driver of that loop: a request for this route was answered without a call.
  void count_refused(size_t loop, size_t route, int status_digit) { shard(loop).routes[route].add(status_digit); }

  size_t routes() const { return routes_; }
  void add_to(CallTotals& totals) const;
  void add_answers_to(StatusCounts& counts, size_t route) const;

 private:
  struct alignas(64) Shard {
    explicit Shard(size_t route_count) : routes(std::make_unique<StatusTally[]>(route_count)) {}
    std::array<Tally, latency_bucket_count> calls_by_duration;
    Tally ticks;
    Tally stopped;
    const std::unique_ptr<StatusTally[]> routes;
  };
  Shard& shard(size_t index) {
    Shard* const shard = shards_[index].load(std::memory_order_acquire);
    return shard != nullptr ? *shard : make_shard(index);
  }
  Shard& make_shard(size_t index);
  template <class Use>
  void each_shard(const Use& use) const {
    for (const auto& slot : shards_) {
      if (const Shard* const shard = slot.load(std::memory_order_acquire)) use(*shard);
    }
  }

  /// Behind the loops' own: of calls that lost theirs.
  static constexpr size_t detached_shard = max_loops;

  const size_t routes_;
  std::array<std::atomic<Shard*>, max_loops + 1> shards_{};  // owned; each written once
};

}  // namespace cweb::runtime
