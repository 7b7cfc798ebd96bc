#include "mgnt/deploy_counts.h"

#include <algorithm>
#include <numeric>

namespace cweb::mgnt {
namespace {

void observe(DeployCounts::Durations& durations, double ms) {
  const double seconds = ms / 1e3;
  const auto bound = std::lower_bound(latency_bounds_s.begin(), latency_bounds_s.end(), seconds);
  ++durations.buckets[static_cast<size_t>(bound - latency_bounds_s.begin())];
  durations.sum_s += seconds;
}

}  // namespace

uint64_t DeployCounts::all_failed() const {
  return std::accumulate(failed.begin(), failed.end(), uint64_t{0});
}

void DeployCounter::count(const DeployReport& report) {
  const std::lock_guard lock(mutex_);
  switch (report.status) {
    case DeployReport::Status::unchanged:
      ++counts_.unchanged;
      return;
    case DeployReport::Status::checked:
      ++counts_.checked;
      return;
    case DeployReport::Status::deployed:
      ++counts_.deployed;
      break;
    case DeployReport::Status::failed: {
      const auto stage = std::find(failure_stages.begin(), failure_stages.end(), report.stage);
      if (stage != failure_stages.end()) ++counts_.failed[static_cast<size_t>(stage - failure_stages.begin())];
      break;
    }
  }
  const DeployTimings& timings = report.timings;
  const std::array<double, timed_stages.size()> times_ms{timings.compile_ms, timings.hop_ms, timings.link_ms,
                                                         timings.onload_ms, timings.total_ms};
  for (size_t i = 0; i < times_ms.size(); ++i) {
    // A stage that a failure left out took no time.
    if (times_ms[i] > 0) observe(counts_.durations[i], times_ms[i]);
  }
}

void DeployCounter::count_removal() {
  const std::lock_guard lock(mutex_);
  ++counts_.removed;
}

DeployCounts DeployCounter::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace cweb::mgnt
