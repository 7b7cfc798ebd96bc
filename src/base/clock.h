// Time as cweb measures it: a monotonic clock for spans and deadlines, the calendar only for what people read.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>

namespace cweb {

/// Nanoseconds of CLOCK_MONOTONIC.
inline int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// Milliseconds of CLOCK_MONOTONIC.
inline int64_t monotonic_ms() {
  return monotonic_ns() / 1'000'000;
}

/// The time now as ISO 8601 in UTC with milliseconds, "2026-11-23T09:00:00.123Z".
std::string utc_timestamp();

/// Starts at construction; elapsed_ms() is the time since then.
class Stopwatch {
 public:
  double elapsed_ms() const { return static_cast<double>(monotonic_ns() - start_ns_) / 1e6; }

 private:
  int64_t start_ns_ = monotonic_ns();
};

}  // namespace cweb
