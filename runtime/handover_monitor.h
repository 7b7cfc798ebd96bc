// Sees to it that a handler that blocks blocks nobody else: a loop whose thread has been inside module code for too
// long is handed to a spare thread. The thread inside finishes its call and becomes a spare itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/calling_thread.h"
#include "runtime/loop_gate.h"
#include "runtime/spare_threads.h"

namespace cweb::runtime {

class DeadlineWatch;

class HandoverMonitor {
 public:
  /// A loop that has not polled for this long because of module calls is handed over.
  static constexpr int64_t patience_ns = 5'000'000;
  /// Score that a route gets when one of its calls blocks: so many fast calls make it trusted again.
  static constexpr int blocking_score = 8;

  HandoverMonitor(SpareThreads& spares, DeadlineWatch& deadlines);
  ~HandoverMonitor();

  /// Before the loop is first driven.
  void add(LoopGate& gate);
  /// After the loop has ended.
  void remove(LoopGate& gate);

  /// Driver: is about to call module code. The answer goes to leave().
  uint64_t enter(LoopGate& gate, ModuleVersion& version, RouteState& route) {
    gate.version_ = &version;
    gate.route_ = &route;
    gate.thread_call_ = gate.thread_->next_call();
    const uint64_t call = ++gate.calls_;
    gate.state_.exchange(LoopGate::word(call, LoopGate::inside));
    if (asleep_.load() != 0) wake_up();
    return call;
  }
  /// The caller of enter(), after the call: true when it still owns the loop.
  static bool leave(LoopGate& gate, uint64_t call);

  /// Driver: gives the loop away before a call that is expected to block. False when no thread is to be had; the caller
  /// then keeps it.
  bool hand_over(LoopGate& gate, ModuleVersion& version);

  DeadlineWatch& deadlines() { return deadlines_; }
  uint64_t handovers() const { return handovers_.load(std::memory_order_relaxed); }

 private:
  void watch();
  bool look_at(LoopGate& gate, int64_t now_ns);
  void wake_up();
  void take(LoopGate& gate, uint64_t call);
  bool run(SpareThreads::Task& drive);
  bool all_outside();

  SpareThreads& spares_;
  DeadlineWatch& deadlines_;
  std::mutex mutex_;
  std::vector<LoopGate*> gates_;  // guarded by mutex_
  std::atomic<uint32_t> asleep_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> handovers_{0};
  std::thread thread_;
};

}  // namespace cweb::runtime
