// The threads that may run module code. Every loop is driven by one of them; the others wait to take a loop over, or to
// run an onload. A thread that comes back from a call that outlasted its loop's patience is a spare again.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cweb::runtime {

class ModuleVersion;

/// Thread-safe.
class SpareThreads {
 public:
  using Task = std::move_only_function<void()>;

  /// At most `limit` threads exist at a time.
  explicit SpareThreads(size_t limit);
  /// Waits for the running tasks; there is no way to end module code that never returns.
  ~SpareThreads();

  /// Runs `task` on an idle thread, or a new one. False, with the task unrun, when the limit is reached.
  bool run(Task& task);
  /// Could run() find a thread now, leaving `reserve` for others?
  bool available(size_t reserve = 0) const;

  /// Is any of the threads inside this version's code? Sequentially consistent with set_inside.
  bool anyone_inside(const ModuleVersion* version) const;
  /// Records what the calling thread, one of these, is inside of; null when it leaves. Null-to-null is allowed.
  static void set_inside(ModuleVersion* version);

  /// The calling thread, one of these, ends when it would become a spare again: nobody can tell what a fault has left
  /// on it.
  static void end_this_thread();

  size_t count() const;
  /// Waits until no task runs, or the time is over; true when none runs.
  bool wait_until_idle(std::chrono::milliseconds time);

 private:
  struct Worker {
    std::thread thread;
    std::atomic<ModuleVersion*> inside{nullptr};
    Task task;
    std::condition_variable wake;
    bool has_task = false;
    bool ended = false;
    bool ends = false;  ///< own thread: it is not to be used again
  };
  void work(Worker& self);
  bool wait_for_task(std::unique_lock<std::mutex>& lock, Worker& self);
  void join_ended_locked();

  static thread_local Worker* current_;

  const size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable all_idle_;
  std::list<Worker> workers_;  // guarded by mutex_
  std::vector<Worker*> idle_;  // guarded by mutex_; the last one rested least and is woken first
  bool stopping_ = false;      // guarded by mutex_
};

}  // namespace cweb::runtime
