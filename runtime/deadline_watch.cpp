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
/// From then on it is interrupted at this pace: it is ended when it comes back into the module's code.
constexpr int64_t slow_retry_ns = 50'000'000;

/// Calls that are over are dropped when there are this many more.
constexpr size_t sweep_at = 1024;

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
  entries_.push_back({.call = std::move(call), .next_ns = due_ns});
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
  Call& call = entry.call;
  const Progress progress = call.thread->interrupt(call.call);
  if (progress == Progress::over) return false;
  if (progress == Progress::inside) ++entry.tries;
  entry.next_ns = now_ns + (entry.tries < tries_until_given_up ? retry_ns : slow_retry_ns);
  if (progress == Progress::to_begin || entry.tries != tries_until_given_up || call.gate == nullptr ||
      !call.gate->give_up())
    return true;
  if (const auto version = call.version.lock()) call.gate->give_up()(call.thread, call.call, version);
  return true;
}

}  // namespace cweb::runtime
