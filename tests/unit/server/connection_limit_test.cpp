#include "server/connection_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace cweb::server {
namespace {

TEST(ConnectionLimitTest, GivesSoManyPlacesAndTakesThemBack) {
  ConnectionLimit limit(2);
  ConnectionLimit::Place first = limit.take();
  ConnectionLimit::Place second = limit.take();
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limit.take());
  EXPECT_FALSE(limit.take()) << "a refusal takes nothing";
  first.reset();
  const ConnectionLimit::Place third = limit.take();
  EXPECT_TRUE(third);
  const ConnectionLimit::Place moved = std::move(second);
  EXPECT_FALSE(limit.take());
}

TEST(ConnectionLimitTest, ThreadsTogetherNeverGetMore) {
  ConnectionLimit limit(100);
  std::vector<std::vector<ConnectionLimit::Place>> held(4);
  {
    std::vector<std::jthread> threads;
    for (auto& places : held) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1'000; ++i) {
          if (auto place = limit.take()) places.push_back(std::move(place));
        }
      });
    }
  }
  size_t total = 0;
  for (const auto& places : held) total += places.size();
  EXPECT_LE(total, 100U);
  EXPECT_GT(total, 0U);
  held.clear();
  EXPECT_TRUE(limit.take());
}

}  // namespace
}  // namespace cweb::server
