// What the loops count and what they measure time with: made before the server, and read without it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/latency_buckets.h"
#include "base/tick_clock.h"
#include "server/loop_metrics.h"

namespace cweb::server {

class ServerMetrics {
 public:
  ServerMetrics() = default;
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;

  const TickClock& clock() const { return clock_; }
  const LatencyBuckets& buckets() const { return buckets_; }

  /// Before the server serves anybody: what a loop counts in. Lives as long as this.
  LoopMetrics& add_loop() { return *loops_.emplace_back(std::make_unique<LoopMetrics>()); }
  const std::vector<std::unique_ptr<LoopMetrics>>& loops() const { return loops_; }

  // Counted by the thread that writes the access log.
  Tally written_log_lines;
  Tally lost_log_lines;  ///< on their way, when the file was changed or the server ended

 private:
  const TickClock clock_;
  const LatencyBuckets buckets_{clock_};
  std::vector<std::unique_ptr<LoopMetrics>> loops_;  // immutable once the server serves
};

}  // namespace cweb::server
