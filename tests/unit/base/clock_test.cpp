#include "base/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cweb {
namespace {

TEST(ClockTest, TimestampIsIso8601InUtcWithMilliseconds) {
  EXPECT_THAT(utc_timestamp(),
              testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
}

TEST(ClockTest, MonotonicTimeDoesNotGoBack) {
  const int64_t first = monotonic_ns();
  EXPECT_GE(monotonic_ns(), first);
  EXPECT_GE(Stopwatch().elapsed_ms(), 0.0);
}

}  // namespace
}  // namespace cweb
