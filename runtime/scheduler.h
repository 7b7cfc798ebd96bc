// Work that modules put off: on another thread, later, or every so often.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/invoke.h"
#include "runtime/thread_share.h"

namespace cweb::runtime {

class DeadlineWatch;
class ModuleVersion;
class Retirer;
class SpareThreads;

/// Thread-safe. Work runs on threads of SpareThreads', which count in the module's share, through runtime/invoke. What
/// waits keeps its version from being unloaded; timers do not, and end when it is no longer live.
class Scheduler {
 public:
  /// Pieces of work of one module that run at a time.
  static constexpr int most_running = 16;
  static constexpr size_t most_waiting = 65'536;
  static constexpr size_t most_timers = 10'000;

  Scheduler(SpareThreads& threads, DeadlineWatch& deadlines, Retirer& retirer);
  /// Waits for what runs; what waits is dropped.
  ~Scheduler();

  /// False when the module has too much waiting, or the version is unloaded.
  bool add(const std::shared_ptr<ModuleVersion>& version, Work work);

  /// The timer's number. `period` 0: once. -1 when the version has too many, or is no longer live.
  int64_t start_timer(const std::shared_ptr<ModuleVersion>& version, Work work, std::chrono::milliseconds first,
                      std::chrono::milliseconds period);
  /// False when the version has no such timer.
  bool cancel(const ModuleVersion& version, int64_t timer);
  /// Cancels all that the version has.
  void forget(const ModuleVersion& version);

  size_t timers() const;

 private:
  /// A version's id and the number: those of a version follow each other.
  using TimerKey = std::pair<uint64_t, int64_t>;
  struct Timer {
    std::weak_ptr<ModuleVersion> version;
    Work work;
    int64_t due_ns = 0;
    int64_t period_ns = 0;  ///< 0: once
  };
  struct Item {
    std::shared_ptr<ModuleVersion> version;
    Work work;
    int64_t timer = 0;  ///< 0: of add()
  };
  /// Of the modules of one name.
  struct Queue {
    std::shared_ptr<ThreadShare> share;
    std::deque<Item> items;
    int workers = 0;
  };
  struct Running {
    std::shared_ptr<ModuleVersion> version;
    std::shared_ptr<CallingThread> thread;
    uint64_t call = 0;
    int64_t report_ns = 0;  ///< when it is told of, should it still run
    bool is_timer = false;
    bool said = false;
  };

  using Versions = std::vector<std::shared_ptr<ModuleVersion>>;
  void watch();
  int64_t fire_timers_locked(int64_t now_ns, Versions& seen);
  int64_t report_stuck_locked(int64_t now_ns);
  void enqueue_locked(Item item);
  bool start_workers_locked(Queue& queue);
  void is_starved_locked();
  void work(Queue& queue);
  bool run(const Item& item);
  void finish_timer_locked(const Item& item);
  std::map<TimerKey, Timer>::iterator erase_timer_locked(std::map<TimerKey, Timer>::iterator timer);
  void look_at_locked(int64_t time_ns);
  void done(Item item);

  SpareThreads& threads_;
  DeadlineWatch& deadlines_;
  Retirer& retirer_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  std::map<const ThreadShare*, Queue> queues_;     // guarded by mutex_
  std::map<TimerKey, Timer> timers_;               // guarded by mutex_
  std::map<uint64_t, size_t> timer_counts_;        // guarded by mutex_; by the version's id
  std::set<std::pair<int64_t, TimerKey>> due_;     // guarded by mutex_; of timers that neither wait in a queue nor run
  std::vector<std::shared_ptr<Running>> running_;  // guarded by mutex_
  int64_t next_look_ns_ = INT64_MAX;               // guarded by mutex_; when the watching thread wakes up
  int64_t last_timer_ = 0;                         // guarded by mutex_
  int reports_ = 0;                                // guarded by mutex_; under way
  bool starved_ = false;                           // guarded by mutex_; a queue has work and found no thread
  bool stopping_ = false;                          // guarded by mutex_
  std::thread thread_;
};

}  // namespace cweb::runtime
