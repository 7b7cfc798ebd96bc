#include "base/tally.h"

#include <gtest/gtest.h>

#include <thread>

namespace cweb {
namespace {

TEST(TallyTest, counts_from_zero) {
  Tally tally;
  EXPECT_EQ(tally.read(), 0U);
  tally.add();
  tally.add(41);
  EXPECT_EQ(tally.read(), 42U);
}

TEST(TallyTest, several_writers_lose_nothing_when_they_share) {
  constexpr uint64_t times = 10'000;
  Tally tally;
  const auto raise = [&] {
    for (uint64_t i = 0; i < times; ++i) tally.add_shared();
  };
  std::thread other(raise);
  raise();
  other.join();
  EXPECT_EQ(tally.read(), 2 * times);
}

TEST(TallyTest, a_reader_never_sees_it_fall) {
  constexpr uint64_t times = 100'000;
  Tally tally;
  std::thread writer([&] {
    for (uint64_t i = 0; i < times; ++i) tally.add();
  });
  for (uint64_t last = 0; last < times;) {
    const uint64_t now = tally.read();
    EXPECT_GE(now, last);
    last = now;
  }
  writer.join();
}

}  // namespace
}  // namespace cweb
