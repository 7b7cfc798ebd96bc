// What deploys come to: how they ended, where they failed, how long their stages took.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/latency_buckets.h"
#include "mgnt/deploy_report.h"

namespace cweb::mgnt {

/// Where a deploy can fail, as DeployReport names it.
inline constexpr std::array<const char*, 6> failure_stages{"request", "compile", "link", "config", "routes", "onload"};
/// What takes time, as DeployTimings names it.
inline constexpr std::array<const char*, 5> timed_stages{"compile", "hop", "link", "onload", "total"};

struct DeployCounts {
  struct Durations {
    std::array<uint64_t, latency_bucket_count> buckets{};
    double sum_s = 0;
  };
  uint64_t deployed = 0, unchanged = 0, checked = 0, removed = 0;
  std::array<uint64_t, failure_stages.size()> failed{};  ///< by stage
  std::array<Durations, timed_stages.size()> durations;  ///< of deploys that were no repetition, by stage

  uint64_t all_failed() const;
};

/// Thread-safe.
class DeployCounter {
 public:
  void count(const DeployReport& report);
  void count_removal();
  DeployCounts counts() const;

 private:
  mutable std::mutex mutex_;
  DeployCounts counts_;  // guarded by mutex_
};

}  // namespace cweb::mgnt
