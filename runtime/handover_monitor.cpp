#include "runtime/handover_monitor.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>

#include "base/clock.h"
#include "runtime/calling_thread.h"
#include "runtime/deadline_watch.h"
#include "runtime/module_version.h"
#include "runtime/spare_threads.h"

namespace cweb::runtime {
namespace {

/// A call is noted at the first tick inside it and taken at the one that ends its patience: between one and one and a
/// half times the patience after it began. Each tick costs a server under load two changes of context.
constexpr long tick_ns = HandoverMonitor::patience_ns / 2;
/// After this many ticks in which no loop was inside a module the monitor sleeps until one is.
constexpr int quiet_ticks = 8;

}  // namespace

void LoopGate::drive() {
  thread_ = CallingThread::current();
  drive_();
}

HandoverMonitor::HandoverMonitor(SpareThreads& spares, DeadlineWatch& deadlines)
    : spares_(spares), deadlines_(deadlines), thread_([this] { watch(); }) {}

HandoverMonitor::~HandoverMonitor() {
  stopping_ = true;
  wake_up();
  thread_.join();
}

void HandoverMonitor::add(LoopGate& gate) {
  const std::lock_guard lock(mutex_);
  gates_.push_back(&gate);
}

void HandoverMonitor::remove(LoopGate& gate) {
  const std::lock_guard lock(mutex_);
  std::erase(gates_, &gate);
}

bool HandoverMonitor::leave(LoopGate& gate, uint64_t call) {
  for (;;) {
    uint64_t state = LoopGate::word(call, LoopGate::inside);
    if (gate.state_.compare_exchange_strong(state, LoopGate::word(call, LoopGate::owned))) return true;
    // While the loop is being taken the monitor still reads what is being called: wait for it.
    if (state != LoopGate::word(call, LoopGate::taking)) return false;
    sched_yield();
  }
}

bool HandoverMonitor::hand_over(LoopGate& gate, ModuleVersion& version) {
  version.threads->take();
  SpareThreads::Task drive = [&gate] { gate.drive(); };
  if (run(drive)) return true;
  version.threads->give_back();
  return false;
}

bool HandoverMonitor::run(SpareThreads::Task& drive) {
  if (!spares_.run(drive)) return false;
  handovers_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void HandoverMonitor::watch() {
  pthread_setname_np(pthread_self(), "cweb-monitor");
  int quiet = 0;
  while (!stopping_) {
    const timespec tick{0, tick_ns};
    nanosleep(&tick, nullptr);
    bool anyone_inside = false;
    {
      const std::lock_guard lock(mutex_);
      const int64_t now = monotonic_ns();
      for (LoopGate* gate : gates_) anyone_inside |= look_at(*gate, now);
    }
    quiet = anyone_inside ? 0 : quiet + 1;
    if (quiet < quiet_ticks) continue;
    // A driver announces its call and then looks whether the monitor sleeps; the monitor says that it sleeps and then
    // looks for calls. One of the two sees the other.
    asleep_.store(1);
    if (!all_outside() || stopping_) asleep_.store(0);
    asleep_.wait(1);
    quiet = 0;
  }
}

bool HandoverMonitor::all_outside() {
  const std::lock_guard lock(mutex_);
  return std::none_of(gates_.begin(), gates_.end(),
                      [](const LoopGate* gate) { return (gate->state_.load() & 3) == LoopGate::inside; });
}

bool HandoverMonitor::look_at(LoopGate& gate, int64_t now_ns) {
  uint64_t state = gate.state_.load();
  if ((state & 3) != LoopGate::inside) return false;
  const uint64_t polls = gate.polls_.load(std::memory_order_relaxed);
  if (polls != gate.noted_polls_ || gate.noted_ns_ == 0) {
    gate.noted_polls_ = polls;
    gate.noted_ns_ = now_ns;
    return true;
  }
  if (now_ns - gate.noted_ns_ < patience_ns) return true;
  take(gate, state >> 2);
  return true;
}

void HandoverMonitor::take(LoopGate& gate, uint64_t call) {
  uint64_t state = LoopGate::word(call, LoopGate::inside);
  if (!gate.state_.compare_exchange_strong(state, LoopGate::word(call, LoopGate::taking))) return;
  // From here to the end of `taking` the thread inside cannot leave, so the version stays.
  deadlines_.add({.thread = gate.thread_->shared_from_this(),
                  .call = gate.thread_call_,
                  .version = gate.version_->weak_from_this(),
                  .due_ns = gate.noted_ns_ + gate.version_->deadline_ns,
                  .gate = &gate});
  gate.noted_ns_ = 0;
  gate.route_->blocking.store(blocking_score, std::memory_order_relaxed);
  gate.version_->threads->take();
  SpareThreads::Task drive = [&gate, call] {
    gate.state_.store(LoopGate::word(call, LoopGate::taken));
    gate.drive();
  };
  if (run(drive)) return;
  gate.version_->threads->give_back();
  gate.state_.store(LoopGate::word(call, LoopGate::inside));
}

void HandoverMonitor::wake_up() {
  asleep_.store(0);
  asleep_.notify_one();
}

}  // namespace cweb::runtime
