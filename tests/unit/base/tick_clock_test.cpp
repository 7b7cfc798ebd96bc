#include "base/tick_clock.h"

#include <gtest/gtest.h>

#include "base/latency_buckets.h"

namespace cweb {
namespace {

/// Both: what the machine offers decides which of them is used.
class TickClockTest : public testing::TestWithParam<TickClock::Source> {
 protected:
  const TickClock clock_{GetParam()};
};

TEST_P(TickClockTest, measures_what_the_monotonic_clock_measures) {
  const int64_t outer_start = monotonic_ns();
  const uint64_t start = clock_.now();
  const int64_t inner_start = monotonic_ns();
  while (monotonic_ns() - inner_start < 5'000'000) {
  }
  const int64_t inner_ns = monotonic_ns() - inner_start;
  const double measured_s = clock_.seconds(TickClock::between(start, clock_.now()));
  const int64_t outer_ns = monotonic_ns() - outer_start;
  // Between the two however long the thread was interrupted; one percent for the length of a tick.
  EXPECT_GE(measured_s, static_cast<double>(inner_ns) * 1e-9 * 0.99);
  EXPECT_LE(measured_s, static_cast<double>(outer_ns) * 1e-9 * 1.01);
}

TEST_P(TickClockTest, ticks_and_seconds_are_inverse) {
  EXPECT_NEAR(clock_.seconds(clock_.ticks(2.5)), 2.5, 1e-6);
  EXPECT_EQ(clock_.ticks(0), 0U);
}

TEST_P(TickClockTest, no_span_is_negative) {
  EXPECT_EQ(TickClock::between(10, 7), 0U);
  EXPECT_EQ(TickClock::between(7, 10), 3U);
}

TEST_P(TickClockTest, a_bound_belongs_to_its_bucket_and_what_is_longer_to_the_next) {
  const LatencyBuckets buckets(clock_);
  EXPECT_EQ(buckets.index_of(0), 0U);
  for (size_t i = 0; i < latency_bounds_s.size(); ++i) {
    EXPECT_EQ(buckets.index_of(clock_.ticks(latency_bounds_s[i])), i);
    EXPECT_EQ(buckets.index_of(clock_.ticks(latency_bounds_s[i]) + 1), i + 1);
  }
  EXPECT_EQ(buckets.index_of(UINT64_MAX), latency_bucket_count - 1);
}

INSTANTIATE_TEST_SUITE_P(Sources, TickClockTest,
                         testing::Values(TickClock::Source::time_stamp_counter, TickClock::Source::monotonic),
                         [](const auto& source) {
                           return source.param == TickClock::Source::monotonic ? "monotonic" : "time_stamp_counter";
                         });

}  // namespace
}  // namespace cweb
