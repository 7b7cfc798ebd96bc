// The cheapest clock there is, for spans that are measured on every request: the processor's time stamp counter where
// it can be trusted, CLOCK_MONOTONIC elsewhere.
#pragma once

#include <x86intrin.h>

#include <cstdint>

#include "base/clock.h"

namespace cweb {

/// Immutable once made; any thread.
class TickClock {
 public:
  enum class Source { time_stamp_counter, monotonic };

  /// Finds out how long a tick is, which takes two milliseconds.
  TickClock() : TickClock(best_source()) {}
  explicit TickClock(Source source);

  /// The time stamp counter if it runs at one rate whatever the processor does and the kernel keeps time by it.
  static Source best_source();

  Source source() const { return source_; }
  uint64_t now() const {
    return source_ == Source::time_stamp_counter ? __rdtsc() : static_cast<uint64_t>(monotonic_ns());
  }
  /// From `start` to `end`, both of now(). Never negative: counters of two processors may differ by a little.
  static uint64_t between(uint64_t start, uint64_t end) { return end > start ? end - start : 0; }

  double seconds(uint64_t ticks) const { return static_cast<double>(ticks) * seconds_per_tick_; }
  uint64_t ticks(double seconds) const { return static_cast<uint64_t>(seconds / seconds_per_tick_); }

 private:
  Source source_;
  double seconds_per_tick_ = 1e-9;
};

}  // namespace cweb
