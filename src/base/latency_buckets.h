// Into which bucket of a latency histogram a span falls. The bounds are fixed, so that a histogram is an array of
// counts and nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/tick_clock.h"

namespace cweb {

/// Upper bounds in seconds, each within its bucket. What is longer falls into a last bucket without a bound.
inline constexpr std::array<double, 17> latency_bounds_s{
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10};
inline constexpr size_t latency_bucket_count = latency_bounds_s.size() + 1;

/// The bounds in ticks of a clock. Immutable once made; any thread.
class LatencyBuckets {
 public:
  explicit LatencyBuckets(const TickClock& clock) {
    for (size_t i = 0; i < bounds_.size(); ++i) bounds_[i] = clock.ticks(latency_bounds_s[i]);
  }
  /// From the shortest on: most spans end at the first bound.
  size_t index_of(uint64_t ticks) const {
    if (ticks <= bounds_[0]) return 0;
    size_t i = 1;
    while (i < bounds_.size() && ticks > bounds_[i]) ++i;
    return i;
  }

 private:
  std::array<uint64_t, latency_bounds_s.size()> bounds_;
};

}  // namespace cweb
