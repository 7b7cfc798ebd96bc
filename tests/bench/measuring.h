// What the benchmarks share: series of measurements, programs run beside the server, tables.
#pragma once

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

/// Runs a program to its end and waits without polling; its exit code, or -1.
int run_quietly(const std::vector<std::string>& command);

/// The number of processors, kernel and CPU, in one line.
std::string machine();

/// Is this program in PATH?
bool is_installed(const std::string& program);

}  // namespace cweb::bench
