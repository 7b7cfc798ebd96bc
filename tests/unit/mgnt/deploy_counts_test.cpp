#include "mgnt/deploy_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace cweb::mgnt {
namespace {

uint64_t observed(const DeployCounts& counts, std::string_view stage) {
  const auto found = std::find(timed_stages.begin(), timed_stages.end(), stage);
  const auto& buckets = counts.durations[static_cast<size_t>(found - timed_stages.begin())].buckets;
  return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

TEST(DeployCountsTest, every_end_has_its_count) {
  DeployCounter counter;
  DeployReport report;
  for (const auto status :
       {DeployReport::Status::deployed, DeployReport::Status::unchanged, DeployReport::Status::checked}) {
    report.status = status;
    counter.count(report);
  }
  counter.count_removal();
  for (const char* stage : failure_stages) counter.count(failed_report(422, stage, "it is wrong"));
  const DeployCounts counts = counter.counts();
  EXPECT_EQ(counts.deployed, 1U);
  EXPECT_EQ(counts.unchanged, 1U);
  EXPECT_EQ(counts.checked, 1U);
  EXPECT_EQ(counts.removed, 1U);
  for (const uint64_t failed : counts.failed) EXPECT_EQ(failed, 1U);
  EXPECT_EQ(counts.all_failed(), failure_stages.size());
}

TEST(DeployCountsTest, stages_that_were_not_reached_have_no_duration) {
  DeployCounter counter;
  DeployReport report = failed_report(422, "compile", "it does not compile");
  report.timings = {.compile_ms = 3, .hop_ms = 0.2, .link_ms = 0, .onload_ms = 0, .total_ms = 3.5};
  counter.count(report);
  const DeployCounts counts = counter.counts();
  EXPECT_EQ(observed(counts, "compile"), 1U);
  EXPECT_EQ(observed(counts, "hop"), 1U);
  EXPECT_EQ(observed(counts, "total"), 1U);
  EXPECT_EQ(observed(counts, "link"), 0U);
  EXPECT_EQ(observed(counts, "onload"), 0U);
  EXPECT_DOUBLE_EQ(counts.durations[0].sum_s, 0.003);
  EXPECT_EQ(counts.durations[0].buckets[6], 1U) << "3 ms lie between 2.5 ms and 5 ms";
}

TEST(DeployCountsTest, a_repetition_is_no_deploy_whose_time_would_count) {
  DeployCounter counter;
  DeployReport report;
  report.status = DeployReport::Status::unchanged;
  report.timings.total_ms = 0.1;
  counter.count(report);
  EXPECT_EQ(observed(counter.counts(), "total"), 0U);
}

}  // namespace
}  // namespace cweb::mgnt
