// Ends calls that take too long. Fast calls never come here: a call is told of when it is taken off its loop, or when
// somebody waits for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/calling_thread.h"
#include "runtime/thread_share.h"

namespace cweb::runtime {

class LoopGate;
class ModuleVersion;

/// Thread-safe.
class DeadlineWatch {
 public:
  DeadlineWatch();
  ~DeadlineWatch();
  DeadlineWatch(const DeadlineWatch&) = delete;
  DeadlineWatch& operator=(const DeadlineWatch&) = delete;

  struct Call {
    std::shared_ptr<CallingThread> thread;
    uint64_t call;  ///< see CallingThread::call; it may be about to begin
    std::weak_ptr<ModuleVersion> version;
    int64_t due_ns;            ///< monotonic
    LoopGate* gate = nullptr;  ///< of a call that was taken off a loop: told when the call cannot be ended
  };
  /// From due_ns on the call is interrupted, again and again until it is over. One that is inside a library function or
  /// waits for a lock cannot be ended; after a moment it counts as stuck and is given up, again and again until
  /// somebody has begun to report it (CallingThread::begin_report).
  void add(Call call);
  /// After the loop has ended.
  void forget(const LoopGate& gate);

 private:
  struct Entry {
    Call call;
    int64_t next_ns;
    int tries = 0;
    std::optional<ThreadShare::StuckCall> stuck;
  };
  void watch();
  /// False when the call is over.
  bool interrupt(Entry& entry, int64_t now_ns);
  static void give_up(Entry& entry);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  std::thread thread_;
};

}  // namespace cweb::runtime
