#include "base/log_throttle.h"

#include <gtest/gtest.h>

namespace cweb::log {
namespace {

TEST(LogThrottleTest, TheFirstEventIsToldAndTheOthersAreCounted) {
  Throttle throttle(10'000);
  EXPECT_EQ(throttle.event(5), 1U);
  EXPECT_EQ(throttle.event(6), std::nullopt);
  EXPECT_EQ(throttle.event(10'004), std::nullopt);
  EXPECT_EQ(throttle.event(10'005), 3U);
  EXPECT_EQ(throttle.event(10'006), std::nullopt);
  EXPECT_EQ(throttle.event(30'000), 2U);
}

}  // namespace
}  // namespace cweb::log
