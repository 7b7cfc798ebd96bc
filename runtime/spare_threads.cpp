#include "runtime/spare_threads.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "runtime/fault_guard.h"

namespace cweb::runtime {
namespace {

/// A burst of blocking calls makes threads; those that then have nothing to do for this long end.
constexpr std::chrono::seconds idle_life{10};
/// These many idle threads stay however long they wait, so that a hand-over seldom has to make a thread.
constexpr size_t kept_idle = 4;

}  // namespace

thread_local SpareThreads::Worker* SpareThreads::current_ = nullptr;

SpareThreads::SpareThreads(size_t limit) : limit_(limit) {}

SpareThreads::~SpareThreads() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (Worker* worker : idle_) worker->wake.notify_one();
  lock.unlock();
  for (Worker& worker : workers_) {
    if (worker.thread.joinable()) worker.thread.join();
  }
}

bool SpareThreads::run(Task& task) {
  std::unique_lock lock(mutex_);
  CWEB_ASSERT(!stopping_);
  if (!idle_.empty()) {
    Worker* worker = idle_.back();
    idle_.pop_back();
    worker->task = std::move(task);
    worker->has_task = true;
    worker->wake.notify_one();
    return true;
  }
  join_ended_locked();
  if (workers_.size() >= limit_) return false;
  Worker& worker = workers_.emplace_back();
  worker.task = std::move(task);
  worker.has_task = true;
  worker.thread = std::thread([this, &worker] { work(worker); });
  return true;
}

bool SpareThreads::available(size_t reserve) const {
  const std::lock_guard lock(mutex_);
  return idle_.size() + (limit_ - workers_.size()) > reserve;
}

bool SpareThreads::anyone_inside(const ModuleVersion* version) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const Worker& worker) { return worker.inside.load() == version; });
}

void SpareThreads::set_inside(ModuleVersion* version) {
  CWEB_ASSERT(current_ != nullptr);
  current_->inside.store(version);
}

void SpareThreads::end_this_thread() {
  current_->ends = true;
}

size_t SpareThreads::count() const {
  const std::lock_guard lock(mutex_);
  return workers_.size();
}

bool SpareThreads::wait_until_idle(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return all_idle_.wait_for(lock, time, [&] {
    return std::none_of(workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.has_task; });
  });
}

void SpareThreads::work(Worker& self) {
  const ThreadGuard guard;
  current_ = &self;
  pthread_setname_np(pthread_self(), "cweb-worker");
  std::unique_lock lock(mutex_);
  do {
    Task task = std::move(self.task);
    lock.unlock();
    task();
    task = nullptr;  // what the task holds is let go before anybody hears that it is done
    lock.lock();
    self.has_task = false;
    all_idle_.notify_all();
  } while (wait_for_task(lock, self));
  self.ended = true;
}

bool SpareThreads::wait_for_task(std::unique_lock<std::mutex>& lock, Worker& self) {
  if (stopping_ || self.ends) return false;
  idle_.push_back(&self);
  while (!self.has_task) {
    if (stopping_) return false;
    const auto ended = self.wake.wait_for(lock, idle_life);
    if (ended == std::cv_status::timeout && !self.has_task && idle_.size() > kept_idle) {
      std::erase(idle_, &self);
      return false;
    }
  }
  return true;
}

void SpareThreads::join_ended_locked() {
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    if (!worker->ended) {
      ++worker;
      continue;
    }
    worker->thread.join();
    worker = workers_.erase(worker);
  }
}

}  // namespace cweb::runtime
