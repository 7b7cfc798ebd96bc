#include "runtime/module_counters.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "runtime/module_config.h"

namespace cweb::runtime {
namespace {

/// What a version brings with it.
struct Version {
  explicit Version(const std::vector<RouteName>& routes) : counters(routes.size()) {
    for (const auto& [method, path] : routes) {
      RouteConfig& route = config.routes.emplace_back();
      route.method = method;
      route.path = path;
    }
  }
  ModuleConfig config;
  CallCounters counters;
};

CallCounters::Call call_of(size_t route, int status_digit = 2, size_t bucket = 0, uint64_t ticks = 1) {
  return {.route = route, .status_digit = status_digit, .bucket = bucket, .ticks = ticks, .stopped = false};
}

uint64_t answers(const ModuleTotals& totals, const RouteName& route, int status_digit = 2) {
  return totals.routes.at(route)[static_cast<size_t>(status_digit - 2)];
}

const RouteName get_a{"GET", "/a"};
const RouteName get_b{"GET", "/b"};

TEST(CallCountersTest, loops_and_detached_calls_add_up) {
  CallCounters counters(2);
  counters.count(0, call_of(0, 2, 3, 10));
  counters.count(max_loops - 1, call_of(1, 4, 3, 20));
  counters.count_detached(call_of(1, 4, latency_bucket_count - 1, 30));
  counters.count_refused(0, 1, 5);
  CallTotals totals;
  counters.add_to(totals);
  EXPECT_EQ(totals.calls(), 3U) << "a request that was refused is no call";
  EXPECT_EQ(totals.calls_by_duration[3], 2U);
  EXPECT_EQ(totals.calls_by_duration[latency_bucket_count - 1], 1U);
  EXPECT_EQ(totals.ticks, 60U);
  StatusCounts first{};
  StatusCounts second{};
  counters.add_answers_to(first, 0);
  counters.add_answers_to(second, 1);
  EXPECT_EQ(first, (StatusCounts{1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(second, (StatusCounts{0, 0, 2, 1, 0, 0, 0, 0}));
}

TEST(CallCountersTest, calls_that_were_stopped_are_counted) {
  CallCounters counters(1);
  CallCounters::Call call = call_of(0, 5);
  call.stopped = true;
  counters.count(0, call);
  counters.count_detached(call);
  CallTotals totals;
  counters.add_to(totals);
  EXPECT_EQ(totals.stopped, 2U);
}

TEST(CallCountersTest, statuses_up_to_999_have_a_place) {
  CallCounters counters(1);
  counters.count(0, call_of(0, 9));
  StatusCounts counts{};
  counters.add_answers_to(counts, 0);
  EXPECT_EQ(counts.back(), 1U);
}

TEST(CallCountersTest, nothing_is_lost_when_loops_detached_calls_and_readers_meet) {
  constexpr uint64_t times = 5'000;
  CallCounters counters(1);
  std::vector<std::thread> threads;
  for (size_t loop = 0; loop < 2; ++loop) {
    threads.emplace_back([&, loop] {
      for (uint64_t i = 0; i < times; ++i) counters.count(loop, call_of(0));
    });
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < times; ++i) counters.count_detached(call_of(0));
    });
  }
  for (uint64_t last = 0; last < 4 * times;) {
    CallTotals totals;
    counters.add_to(totals);
    ASSERT_GE(totals.calls(), last);
    last = totals.calls();
  }
  for (std::thread& thread : threads) thread.join();
  StatusCounts counts{};
  counters.add_answers_to(counts, 0);
  EXPECT_EQ(counts[0], 4 * times);
}

TEST(ModuleCountersTest, a_version_that_goes_leaves_its_counts) {
  ModuleCounters module;
  Version first({get_a});
  module.add(first.config, first.counters);
  first.counters.count(0, call_of(0));
  EXPECT_EQ(module.calls(), 1U);

  Version second({get_a, get_b});
  module.add(second.config, second.counters);
  first.counters.count(0, call_of(0));  // a call that began before the deploy
  second.counters.count(0, call_of(0));
  second.counters.count(0, call_of(1, 5));
  EXPECT_EQ(module.calls(), 4U);
  EXPECT_EQ(answers(module.totals(), get_a), 3U);

  module.fold(first.counters);
  EXPECT_EQ(module.calls(), 4U);
  EXPECT_EQ(module.totals().calls.calls(), 4U);
  EXPECT_EQ(answers(module.totals(), get_a), 3U);
  EXPECT_EQ(answers(module.totals(), get_b, 5), 1U);
}

TEST(ModuleCountersTest, routes_are_those_of_the_version_that_came_last) {
  ModuleCounters module;
  for (int i = 0; i < 100; ++i) {
    Version version({{"GET", "/" + std::to_string(i)}, get_a});
    module.add(version.config, version.counters);
    version.counters.count(0, call_of(0));
    version.counters.count(0, call_of(1));
    EXPECT_EQ(module.totals().routes.size(), 2U) << "no series is left of routes that are gone";
    module.fold(version.counters);
  }
  EXPECT_EQ(module.calls(), 200U);
  EXPECT_EQ(answers(module.totals(), get_a), 100U);
}

TEST(ModuleCountersTest, two_rows_of_one_route_are_one_series) {
  ModuleCounters module;
  Version version({get_a, get_a});
  module.add(version.config, version.counters);
  version.counters.count(0, call_of(0));
  version.counters.count(0, call_of(1));
  EXPECT_EQ(module.totals().routes.size(), 1U);
  EXPECT_EQ(answers(module.totals(), get_a), 2U);
}

TEST(ModuleCountersTest, a_version_that_never_went_live_leaves_nothing) {
  ModuleCounters module;
  Version version({get_a});
  version.counters.count(0, call_of(0));
  module.fold(version.counters);
  EXPECT_EQ(module.calls(), 0U);
}

}  // namespace
}  // namespace cweb::runtime
