// The access log: a line for each answer. A loop formats its lines into a ring of its own, which costs no lock and no
// system call; a thread looks into the rings and writes what it finds. Where it cannot write (the disk is full, the
// reader of the pipe has stopped) lines wait in the rings, and when those are full they are dropped and counted: a loop
// never waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "server/access_line.h"
#include "server/line_ring.h"
#include "server/log_file.h"
#include "server/server_metrics.h"

namespace cweb::server {

/// One loop's lines. Used by the loop's driver.
class AccessStream {
 public:
  AccessStream(AccessLogFormat format, LoopMetrics& metrics);

  /// Never blocks. A line that has no room is dropped and counted.
  void write(const AccessRecord& record);

 private:
  friend class AccessLog;
  /// Memory is taken as it is used.
  static constexpr size_t ring_bytes = size_t{2} << 20;

  const AccessLogFormat format_;
  LoopMetrics& metrics_;
  std::string line_;
  LineRing ring_{ring_bytes};
};

class AccessLog {
 public:
  /// `metrics` outlives it.
  static Expected<std::unique_ptr<AccessLog>> open(const std::string& file, AccessLogFormat format,
                                                   ServerMetrics& metrics);
  ~AccessLog();

  /// Before start(): the lines of one more loop. Lives as long as the log.
  AccessStream& add_loop(LoopMetrics& metrics);
  /// Lines are written from here on; after the last add_loop().
  void start();
  /// Any thread: the file was moved away, the next lines go to a new one.
  void reopen();
  /// Writes what is there, for a second at most, and ends. The loops have ended, or their further lines are lost.
  void finish();

 private:
  AccessLog(LogFile file, AccessLogFormat format, ServerMetrics& metrics);

  // The writer's thread.
  void work();
  bool is_empty() const;
  bool write_all();
  bool write_stream(AccessStream& stream, bool& worked);
  void reopen_file();
  void lose_rest_of_line(AccessStream& stream);
  void lose_everything();
  void warn_of_losses(int error);

  const AccessLogFormat format_;
  ServerMetrics& metrics_;
  std::vector<std::unique_ptr<AccessStream>> streams_;              // immutable after start()
  LogFile file_;                                                    // the writer's
  AccessStream* unfinished_ = nullptr;                              // the writer's: part of a line of it is in the file
  std::optional<std::chrono::steady_clock::time_point> warned_at_;  // the writer's
  uint64_t dropped_before_ = 0;                                     // the writer's

  std::mutex mutex_;
  std::condition_variable wake_;
  bool reopening_ = false;  // guarded by mutex_
  bool finishing_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace cweb::server
