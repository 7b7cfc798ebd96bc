// What the benchmarks share: series of measurements, programs run beside the server, tables.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace cweb::bench {

/// Milliseconds, in the order in which they were taken.
class Series {
 public:
  void add(double ms) { values_.push_back(ms); }
  size_t count() const { return values_.size(); }
  /// The value that `share` (0 to 1) of all values do not exceed; 0 when there are none.
  double percentile(double share) const;
  double median() const { return percentile(0.5); }
  double maximum() const { return percentile(1); }

 private:
  std::vector<double> values_;
};

struct Cost {
  double wall_ms = 0;
  double cpu_ms = 0;  ///< of all processes that took part
};

/// What it takes to run a program to its end, waited for without polling; nothing when it fails.
std::optional<Cost> run_and_time(const std::vector<std::string>& command);

/// Processor time that a process has used so far, threads that ended included; 0 when there is no such process.
double cpu_ms_of(pid_t pid);

/// The number of processors, kernel and CPU, in one line.
std::string machine();

}  // namespace cweb::bench
