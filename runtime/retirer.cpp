#include "runtime/retirer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/fault_sink.h"
#include "runtime/invoke.h"
#include "runtime/own_threads.h"

namespace cweb::runtime {
namespace {

/// An unload that still runs so long after its deadline cannot be ended. It is told of in the log, and its version
/// stays in memory until it returns.
constexpr std::chrono::milliseconds grace{100};

/// For the unload of a version that has faulted: it may wait for a lock that nobody will give back.
constexpr std::chrono::milliseconds suspect_unload_time{1000};

}  // namespace

Retirer::Retirer(SpareThreads& spares, DeadlineWatch& deadlines)
    : spares_(spares), deadlines_(deadlines), thread_([this] { work(); }) {}

Retirer::~Retirer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  poked_condition_.notify_one();
  thread_.join();
}

void Retirer::add(LoopGate& gate) {
  const std::lock_guard lock(mutex_);
  gates_.push_back(&gate);
}

void Retirer::remove(LoopGate& gate) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(gates_, &gate);
  }
  poke();
}

void Retirer::retire(uint64_t generation, std::unique_ptr<const RouteTable> table,
                     std::vector<std::shared_ptr<ModuleVersion>> versions) {
  const std::lock_guard lock(mutex_);
  for (auto& version : versions) {
    version->set_state(VersionState::draining);
    wanted(version->id()).fetch_add(1);
    pending_.push_back({.generation = generation, .table = nullptr, .version = std::move(version)});
  }
  if (table) pending_.push_back({.generation = generation, .table = std::move(table), .version = nullptr});
  for (const LoopGate* gate : gates_) gate->wake();
  poked_ = true;
  poked_condition_.notify_one();
}

void Retirer::poke() {
  const std::lock_guard lock(mutex_);
  poked_ = true;
  poked_condition_.notify_one();
}

void Retirer::let_go(std::shared_ptr<ModuleVersion> version) {
  if (!version) return;
  const std::lock_guard lock(mutex_);
  let_go_.push_back(std::move(version));
  poked_ = true;
  poked_condition_.notify_one();
}

Retirer::Draining Retirer::draining(std::string_view module) const {
  const std::lock_guard lock(mutex_);
  Draining draining;
  for (const Pending& pending : pending_) {
    if (!pending.version || pending.version->config.name != module) continue;
    ++draining.versions;
    draining.heap_bytes += pending.version->heap().bytes();
    draining.code_bytes += pending.version->image().bytes();
    draining.threads += pending.version->own_threads.load();
  }
  return draining;
}

bool Retirer::wait_until_done(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return done_condition_.wait_for(lock, time, [&] { return pending_.empty() && !giving_back_; });
}

void Retirer::work() {
  pthread_setname_np(pthread_self(), "cweb-retirer");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (pending_.empty()) {
      poked_condition_.wait(lock, [&] { return poked_ || stopping_; });
    } else {
      // The second is for threads of a module's own, which end without a word, for the report of an unload that is
      // overdue, and for one that found no thread.
      poked_condition_.wait_for(lock, std::chrono::seconds(1), [&] { return poked_ || stopping_; });
    }
    poked_ = false;
    std::list<Pending> gone;
    for (auto pending = pending_.begin(); pending != pending_.end();) {
      const auto next = std::next(pending);
      if (advance(*pending)) gone.splice(gone.end(), pending_, pending);
      pending = next;
    }
    std::vector<std::shared_ptr<ModuleVersion>> let_go = std::exchange(let_go_, {});
    if (gone.empty() && let_go.empty()) continue;
    giving_back_ = true;
    lock.unlock();
    gone.clear();  // code, heaps and tables are given back without the lock
    let_go.clear();
    lock.lock();
    giving_back_ = false;
    if (pending_.empty()) done_condition_.notify_all();
  }
}

bool Retirer::all_loops_passed(uint64_t generation) const {
  return std::all_of(gates_.begin(), gates_.end(), [&](const LoopGate* gate) { return gate->passed() >= generation; });
}

/// True when the entry is done and may be destroyed.
bool Retirer::advance(Pending& pending) {
  if (!pending.version) return all_loops_passed(pending.generation);
  ModuleVersion& version = *pending.version;
  if (pending.unload_returned) {
    // A thread that the module started keeps the code it runs.
    if (version.own_threads.load() > 0) {
      report_when_threads_stay(pending);
      return false;
    }
    if (pending.reporting || spares_.anyone_inside(&version)) return false;
    version.set_state(VersionState::retired);
    if (const ModuleHeap::Use left = version.heap().use(); left.blocks > 0) {
      log::info("module {} version {} is retired and left {} bytes in {} blocks allocated", version.config.name,
                version.number, left.bytes, left.blocks);
    }
    wanted(version.id()).fetch_sub(1);
    return true;
  }
  if (pending.unload_started) {
    report_when_overdue(pending);
    return false;
  }
  if (!all_loops_passed(pending.generation) || spares_.anyone_inside(&version)) return false;
  start_unload(pending);
  return pending.unload_returned && advance(pending);
}

void Retirer::start_unload(Pending& pending) {
  pending.unload_started = true;
  pending.unload_started_ms = monotonic_ms();
  pending.version->set_state(VersionState::unloading);
  if (pending.version->config.unload == nullptr) {
    pending.unload_returned = true;
    return;
  }
  // One that may wait for a lock that a faulted call holds is a call like others; it waits for the others to return.
  const bool suspect = pending.version->suspect.load();
  pending.unload_deadline =
      suspect ? suspect_unload_time : std::chrono::milliseconds(pending.version->deadline_ns / 1'000'000);
  std::optional<ThreadShare::Use> use =
      pending.version->threads->try_take(ThreadShare::limit + (suspect ? 0 : ThreadShare::reserve));
  if (!use) {
    pending.unload_started = false;
    return;
  }
  // The entry holds the version until unload_returned is set; a task that held it too could be the last to do so.
  SpareThreads::Task task = [this, &pending, use = std::move(use)]() mutable {
    unload(pending);
    use.reset();
    const std::lock_guard lock(mutex_);
    pending.unload_returned = true;
    poked_ = true;
    poked_condition_.notify_one();
  };
  // At the bound on threads, the module's or all, it is tried again at the next poke, or a second later.
  pending.unload_started = spares_.run(task);
}

/// On a thread of SpareThreads'.
void Retirer::unload(Pending& pending) {
  const std::shared_ptr<CallingThread> thread = CallingThread::current()->shared_from_this();
  const uint64_t number = thread->call() + 1;
  {
    const std::lock_guard lock(mutex_);
    pending.unloader = thread;
    pending.unload_call = number;
  }
  ModuleVersion& version = *pending.version;
  const WaitedCall call = call_on_this_thread(deadlines_, version, {version.config.unload, version.config.unload_shape},
                                              pending.unload_deadline);
  if (call.ending == WaitedCall::Ending::returned) return;
  const bool is_reported = call.fault.kind == FaultRecord::Kind::deadline && !thread->begin_report(number);
  if (!is_reported) report_fault(pending.version, call.fault, {.call = "unload", .request = {}, .accept = {}});
}

void Retirer::report_when_overdue(Pending& pending) {
  const std::chrono::milliseconds taken(monotonic_ms() - pending.unload_started_ms);
  if (pending.overdue_said || !pending.unloader || taken < pending.unload_deadline + grace) return;
  pending.overdue_said = report(pending, report_overdue_unload);
}

void Retirer::report_when_threads_stay(Pending& pending) {
  const int64_t now = monotonic_ms();
  if (pending.threads_left_ms == 0) pending.threads_left_ms = now;
  if (pending.threads_said || (now - pending.threads_left_ms) * 1'000'000 < pending.version->deadline_ns) return;
  pending.threads_said = report(pending, [](const Pending& left) { report_threads_left(left.version); });
}

/// True when it is under way. On another thread: a report takes longer than anybody may hold the lock. The entry stays
/// until it is made. One after the other: a module may have many, and each takes a thread.
bool Retirer::report(Pending& pending, void (*report)(const Pending&)) {
  if (reporting_) return false;
  SpareThreads::Task task = [this, &pending, report] {
    report(pending);
    const std::lock_guard lock(mutex_);
    reporting_ = pending.reporting = false;
    poked_ = true;
    poked_condition_.notify_one();
  };
  pending.reporting = reporting_ = spares_.run(task);
  return reporting_;
}

void Retirer::report_overdue_unload(const Pending& pending) {
  // The call and its deadline do not change any more.
  CallingThread& thread = *pending.unloader;
  FaultRecord fault;
  note_stuck(thread, pending.unload_call, pending.unload_deadline, fault);
  if (!thread.begin_report(pending.unload_call)) return;
  report_fault(pending.version, fault, {.call = "unload", .request = {}, .accept = {}});
  log::warn("module {} version {}: unload has not returned; its memory and a thread are kept until it does",
            pending.version->config.name, pending.version->number);
}

}  // namespace cweb::runtime
