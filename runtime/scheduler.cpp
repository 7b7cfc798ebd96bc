#include "runtime/scheduler.h"

#include <pthread.h>

#include <algorithm>

#include "base/clock.h"
#include "runtime/calling_thread.h"
#include "runtime/deadline_watch.h"
#include "runtime/fault_sink.h"
#include "runtime/module_version.h"
#include "runtime/retirer.h"
#include "runtime/spare_threads.h"

namespace cweb::runtime {
namespace {

constexpr int64_t ns_per_ms = 1'000'000;
/// After its deadline a call in the module's own code is over; this long after it, it is known to be somewhere else.
constexpr int64_t grace_ns = 100 * ns_per_ms;
/// A version that is loading has its timers looked at again so soon, and so has work that found no thread.
constexpr int64_t retry_ns = 10 * ns_per_ms;
/// Threads that are left to loops and deploys.
constexpr size_t reserved_threads = 64;

bool is_beyond(const ModuleVersion& version, VersionState state) {
  return version.state() > state;
}

}  // namespace

Scheduler::Scheduler(SpareThreads& threads, DeadlineWatch& deadlines, Retirer& retirer)
    : threads_(threads), deadlines_(deadlines), retirer_(retirer), thread_([this] { watch(); }) {}

Scheduler::~Scheduler() {
  std::deque<Item> dropped;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
    for (auto& [share, queue] : queues_) {
      for (Item& item : queue.items) dropped.push_back(std::move(item));
      queue.items.clear();
    }
    std::erase_if(queues_, [](const auto& each) { return each.second.workers == 0; });
    idle_.wait(lock, [&] { return running_.empty() && queues_.empty() && reports_ == 0; });
  }
  for (Item& item : dropped) done(std::move(item));
  thread_.join();
}

bool Scheduler::add(const std::shared_ptr<ModuleVersion>& version, Work work) {
  version->waiting_work.fetch_add(1);
  {
    const std::lock_guard lock(mutex_);
    const auto queue = queues_.find(version->threads.get());
    const bool is_full = queue != queues_.end() && queue->second.items.size() >= most_waiting;
    if (!stopping_ && !is_full && !is_beyond(*version, VersionState::draining)) {
      enqueue_locked({.version = version, .work = work});
      return true;
    }
  }
  done({.version = version, .work = work});
  return false;
}

int64_t Scheduler::start_timer(const std::shared_ptr<ModuleVersion>& version, Work work,
                               std::chrono::milliseconds first, std::chrono::milliseconds period) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || is_beyond(*version, VersionState::live)) return -1;
  if (size_t& count = timer_counts_[version->id()]; count >= most_timers) {
    return -1;
  } else {
    ++count;
  }
  const TimerKey key{version->id(), ++last_timer_};
  // Far enough for everybody, and not beyond what the clock can count.
  const int64_t longest_ms = INT64_MAX / ns_per_ms / 4;
  const int64_t due_ns = monotonic_ns() + std::min<int64_t>(first.count(), longest_ms) * ns_per_ms;
  timers_.emplace(key, Timer{.version = version,
                             .work = work,
                             .due_ns = due_ns,
                             .period_ns = std::min<int64_t>(period.count(), longest_ms) * ns_per_ms});
  due_.emplace(due_ns, key);
  look_at_locked(due_ns);
  return key.second;
}

/// Has the watching thread wake up by then.
void Scheduler::look_at_locked(int64_t time_ns) {
  if (time_ns >= next_look_ns_) return;
  next_look_ns_ = time_ns;
  changed_.notify_one();
}

std::map<Scheduler::TimerKey, Scheduler::Timer>::iterator Scheduler::erase_timer_locked(
    std::map<TimerKey, Timer>::iterator timer) {
  due_.erase({timer->second.due_ns, timer->first});
  const auto count = timer_counts_.find(timer->first.first);
  if (--count->second == 0) timer_counts_.erase(count);
  return timers_.erase(timer);
}

bool Scheduler::cancel(const ModuleVersion& version, int64_t timer) {
  const std::lock_guard lock(mutex_);
  const auto found = timers_.find({version.id(), timer});
  if (found == timers_.end()) return false;
  erase_timer_locked(found);
  return true;
}

void Scheduler::forget(const ModuleVersion& version) {
  const std::lock_guard lock(mutex_);
  const auto end = timers_.lower_bound({version.id() + 1, 0});
  for (auto each = timers_.lower_bound({version.id(), 0}); each != end;) each = erase_timer_locked(each);
}

size_t Scheduler::timers() const {
  const std::lock_guard lock(mutex_);
  return timers_.size();
}

void Scheduler::watch() {
  pthread_setname_np(pthread_self(), "cweb-scheduler");
  Versions seen;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const int64_t now_ns = monotonic_ns();
    next_look_ns_ = std::min(fire_timers_locked(now_ns, seen), report_stuck_locked(now_ns));
    if (starved_) {
      starved_ = false;
      for (auto& [share, queue] : queues_) starved_ |= !start_workers_locked(queue);
      if (starved_) next_look_ns_ = std::min(next_look_ns_, now_ns + retry_ns);
    }
    if (!seen.empty()) {
      // Without the lock: somebody else may have let go of one meanwhile, and its end comes back here.
      lock.unlock();
      seen.clear();
      lock.lock();
    } else if (next_look_ns_ == INT64_MAX) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, std::chrono::nanoseconds(std::max<int64_t>(next_look_ns_ - monotonic_ns(), 0)));
    }
  }
}

/// Puts what is due into the queues. The answer is when the next one is.
int64_t Scheduler::fire_timers_locked(int64_t now_ns, Versions& seen) {
  while (!due_.empty() && due_.begin()->first <= now_ns) {
    const TimerKey key = due_.begin()->second;
    due_.erase(due_.begin());
    const auto timer = timers_.find(key);
    std::shared_ptr<ModuleVersion> version = timer->second.version.lock();
    if (!version || is_beyond(*version, VersionState::live) || version->quarantined.load()) {
      erase_timer_locked(timer);
    } else if (version->state() != VersionState::live) {
      timer->second.due_ns = now_ns + retry_ns;
      due_.emplace(timer->second.due_ns, key);
    } else {
      version->waiting_work.fetch_add(1);
      enqueue_locked({.version = version, .work = timer->second.work, .timer = key.second});
    }
    if (version) seen.push_back(std::move(version));
  }
  return due_.empty() ? INT64_MAX : due_.begin()->first;
}

/// Tells of calls that are overdue and could not be ended. The answer is when to look again.
int64_t Scheduler::report_stuck_locked(int64_t now_ns) {
  int64_t next_ns = INT64_MAX;
  for (const std::shared_ptr<Running>& each : running_) {
    if (each->said) continue;
    if (each->report_ns > now_ns) {
      next_ns = std::min(next_ns, each->report_ns);
      continue;
    }
    SpareThreads::Task task = [this, each] {
      FaultRecord fault;
      note_stuck(*each->thread, each->call, std::chrono::nanoseconds(each->version->deadline_ns), fault);
      if (each->thread->call() == each->call && each->thread->begin_report(each->call)) {
        report_fault(
            each->version, fault,
            {.call = each->is_timer ? "work of a timer" : "work of the scheduler", .request = {}, .accept = {}});
      }
      const std::lock_guard lock(mutex_);
      --reports_;
      idle_.notify_all();
    };
    each->said = threads_.run(task);
    if (each->said) ++reports_;
    if (!each->said) next_ns = std::min(next_ns, now_ns + retry_ns);
  }
  return next_ns;
}

void Scheduler::enqueue_locked(Item item) {
  Queue& queue = queues_[item.version->threads.get()];
  queue.share = item.version->threads;
  queue.items.push_back(std::move(item));
  if (!start_workers_locked(queue)) is_starved_locked();
}

void Scheduler::is_starved_locked() {
  starved_ = true;
  look_at_locked(monotonic_ns() + retry_ns);
}

/// False when there is work and nobody to do it.
bool Scheduler::start_workers_locked(Queue& queue) {
  if (stopping_ || queue.items.empty() || queue.workers >= most_running) return true;
  if (!threads_.available(reserved_threads)) return queue.workers > 0;
  std::optional<ThreadShare::Use> use = queue.share->try_take(ThreadShare::limit);
  if (!use) return queue.workers > 0;
  SpareThreads::Task task = [this, &queue, use = std::move(use)] { work(queue); };
  if (!threads_.run(task)) return queue.workers > 0;
  ++queue.workers;
  return true;
}

void Scheduler::work(Queue& queue) {
  bool goes_on = true;
  std::unique_lock lock(mutex_);
  while (goes_on && !queue.items.empty()) {
    Item item = std::move(queue.items.front());
    queue.items.pop_front();
    const bool is_cancelled = item.timer != 0 && !timers_.contains({item.version->id(), item.timer});
    lock.unlock();
    if (!is_cancelled) goes_on = run(item);
    lock.lock();
    finish_timer_locked(item);
    lock.unlock();
    done(std::move(item));
    lock.lock();
  }
  --queue.workers;
  if (!start_workers_locked(queue)) is_starved_locked();
  // The share is the queue's key.
  const std::shared_ptr<ThreadShare> share = queue.share;
  if (queue.items.empty() && queue.workers == 0) queues_.erase(share.get());
  idle_.notify_all();
}

/// False when this thread is not to be used again.
bool Scheduler::run(const Item& item) {
  ModuleVersion& version = *item.version;
  if (version.state() == VersionState::failed || version.quarantined.load()) return true;
  if (item.timer != 0 && is_beyond(version, VersionState::live)) return true;
  const auto thread = CallingThread::current()->shared_from_this();
  const auto running = std::make_shared<Running>(Running{.version = item.version,
                                                         .thread = thread,
                                                         .call = thread->next_call(),
                                                         .report_ns = monotonic_ns() + version.deadline_ns + grace_ns,
                                                         .is_timer = item.timer != 0});
  {
    const std::lock_guard lock(mutex_);
    running_.push_back(running);
    look_at_locked(running->report_ns);
  }
  const WaitedCall call =
      call_on_this_thread(deadlines_, version, item.work, std::chrono::milliseconds(version.deadline_ns / ns_per_ms));
  {
    const std::lock_guard lock(mutex_);
    std::erase(running_, running);
  }
  if (call.ending == WaitedCall::Ending::returned) return true;
  if (call.fault.kind != FaultRecord::Kind::deadline || thread->begin_report(running->call)) {
    report_fault(
        item.version, call.fault,
        {.call = running->is_timer ? "work of a timer" : "work of the scheduler", .request = {}, .accept = {}});
  }
  return !call.fault.outside_module;
}

void Scheduler::finish_timer_locked(const Item& item) {
  if (item.timer == 0) return;
  const auto found = timers_.find({item.version->id(), item.timer});
  if (found == timers_.end()) return;
  Timer& timer = found->second;
  if (timer.period_ns == 0) {
    erase_timer_locked(found);
    return;
  }
  const int64_t missed = std::max<int64_t>((monotonic_ns() - timer.due_ns) / timer.period_ns, 0);
  timer.due_ns += (missed + 1) * timer.period_ns;
  due_.emplace(timer.due_ns, found->first);
  look_at_locked(timer.due_ns);
}

void Scheduler::done(Item item) {
  const uint64_t id = item.version->id();
  item.version->waiting_work.fetch_sub(1);
  if (retirer_.wants(id)) retirer_.poke();
}

}  // namespace cweb::runtime
