#include "runtime/deadline_watch.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/error.h"
#include "runtime/loop_gate.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

constexpr int64_t retry_ns = 1'000'000;
/// A call that is still in a library after so many interruptions is given up.
constexpr int tries_until_given_up = 20;
/// From then on it is interrupted ever more seldom: it is ended when it comes back into the module's code.
constexpr int64_t first_slow_retry_ns = 50'000'000;
constexpr int64_t slowest_retry_ns = 1'000'000'000;

/// Calls that are over are dropped when there are this many more.
constexpr size_t sweep_at = 1024;

/// How long after so many interruptions the next one comes.
int64_t pause_after(int tries) {
  if (tries < tries_until_given_up) return retry_ns;
  const int doublings = std::min(tries - tries_until_given_up, 5);
  return std::min(first_slow_retry_ns << doublings, slowest_retry_ns);
}

}  // namespace

DeadlineWatch::DeadlineWatch() : thread_([this] { watch(); }) {}

DeadlineWatch::~DeadlineWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void DeadlineWatch::add(Call call) {
  CWEB_ASSERT(call.call % 2 == 1);
  const std::lock_guard lock(mutex_);
  const auto is_over = [](const Entry& entry) { return entry.call.thread->call() > entry.call.call; };
  if (entries_.size() % sweep_at == sweep_at - 1) std::erase_if(entries_, is_over);
  const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.call.thread == call.thread && entry.call.call == call.call;
  });
  if (known) return;
  const int64_t due_ns = call.due_ns;
  entries_.push_back({.call = std::move(call), .next_ns = due_ns, .stuck = {}});
  changed_.notify_one();
}

void DeadlineWatch::forget(const LoopGate& gate) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.call.gate == &gate; });
}

void DeadlineWatch::watch() {
  pthread_setname_np(pthread_self(), "cweb-deadlines");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const int64_t now = monotonic_ns();
    std::erase_if(entries_, [&](Entry& entry) { return entry.next_ns <= now && !interrupt(entry, now); });
    if (entries_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto next = std::min_element(entries_.begin(), entries_.end(), [](const Entry& left, const Entry& right) {
      return left.next_ns < right.next_ns;
    });
    changed_.wait_for(lock, std::chrono::nanoseconds(std::max<int64_t>(next->next_ns - monotonic_ns(), 0)));
  }
}

bool DeadlineWatch::interrupt(Entry& entry, int64_t now_ns) {
  using Progress = CallingThread::Progress;
  const Call& call = entry.call;
  const Progress progress = call.thread->interrupt(call.call);
  if (progress == Progress::over) return false;
  if (progress == Progress::inside) ++entry.tries;
  entry.next_ns = now_ns + pause_after(entry.tries);
  if (entry.tries >= tries_until_given_up) give_up(entry);
  return true;
}

void DeadlineWatch::give_up(Entry& entry) {
  const Call& call = entry.call;
  // Without a thread nobody could report it the last time.
  const bool is_to_tell = call.gate != nullptr && call.gate->give_up() && !call.thread->is_reported(call.call);
  if (entry.stuck && !is_to_tell) return;
  const auto version = call.version.lock();
  if (!version) return;
  if (!entry.stuck) entry.stuck.emplace(version->threads);
  if (is_to_tell) call.gate->give_up()(call.thread, call.call, version);
}

}  // namespace cweb::runtime
