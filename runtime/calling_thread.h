// A thread that may run module code, as those see it who watch over its calls.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/fault_record.h"

namespace cweb::runtime {

/// Written by its own thread, read by others.
class CallingThread : public std::enable_shared_from_this<CallingThread> {
 public:
  CallingThread();
  /// The calling thread's own; null when it runs no module code (see ThreadGuard).
  static CallingThread* current();

  /// Odd while the thread is inside module code; another number for each call.
  uint64_t call() const { return call_.load(std::memory_order_acquire); }
  /// Own thread, outside of calls: the number of the next one.
  uint64_t next_call() const { return call_.load(std::memory_order_relaxed) + 1; }
  /// Own thread, around a call.
  void call_begins() { call_.store(call_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  void call_ended() { call_begins(); }
  /// Own thread, in a call: it was interrupted, and has gone on because it was not in the module's code.
  bool is_overdue() const { return overdue_.load(std::memory_order_relaxed) == call_.load(std::memory_order_relaxed); }

  enum class Progress { to_begin, inside, over };
  /// Interrupts `call` if the thread is inside it: when it is in the module's own code the call ends there. Any thread.
  Progress interrupt(uint64_t call);

  /// Has the thread note where it is, for last_seen(), and go on: what it waits in may return EINTR. The number of the
  /// call that it is inside of; 0 when it is inside none. Once a call; any thread.
  uint64_t ask_where();

  /// For who is about to report that `call` took too long: true for the first of them. Any thread.
  bool begin_report(uint64_t call) { return reported_.exchange(call, std::memory_order_acq_rel) != call; }

  bool is_reported(uint64_t call) const { return reported_.load(std::memory_order_acquire) == call; }

  /// Where a call was that was interrupted and could not be ended, or that was asked; false while that is not known.
  bool last_seen(uint64_t call, FaultRecord& record) const;

 private:
  friend class ThreadGuard;
  friend struct DeadlineSignal;
  const pid_t thread_id_;
  std::atomic<uint64_t> call_{0};
  std::atomic<uint64_t> overdue_{0};    ///< the call that is to be interrupted
  std::atomic<uint64_t> asked_{0};      ///< the call that is to note where it is
  std::atomic<uint64_t> reported_{0};   ///< the last call of which begin_report() was asked
  std::atomic<uint64_t> seen_call_{0};  ///< the call that seen_ is about
  FaultRecord seen_;
};

}  // namespace cweb::runtime
