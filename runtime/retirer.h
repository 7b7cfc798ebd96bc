// Ends versions that are no longer routed to: waits until nobody can be inside, runs unload, gives the memory back. On
// a thread of its own; nobody waits for it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/deadline_watch.h"
#include "runtime/loop_gate.h"
#include "runtime/module_version.h"
#include "runtime/route_table.h"
#include "runtime/spare_threads.h"

namespace cweb::runtime {

/// Thread-safe.
class Retirer {
 public:
  Retirer(SpareThreads& spares, DeadlineWatch& deadlines);
  ~Retirer();

  /// Loops that must have passed before anything that they could see is given back.
  void add(LoopGate& gate);
  void remove(LoopGate& gate);

  /// The table of `generation` - 1 and the versions that it had and its successor has not. Either may be empty.
  void retire(uint64_t generation, std::unique_ptr<const RouteTable> table,
              std::vector<std::shared_ptr<ModuleVersion>> versions);

  /// Lets go of a version that was retired and whose memory somebody still had: the last to do so gives the memory
  /// back, which is nothing for a loop.
  void let_go(std::shared_ptr<ModuleVersion> version);

  /// Does the retirer wait for threads to leave this version? After SpareThreads::set_inside(nullptr) a thread that
  /// gets true must poke(); one that gets false was seen leaving. Versions that share a slot cost a needless poke.
  bool wants(uint64_t version_id) const { return wanted_[version_id % wanted_.size()].load() != 0; }

  /// Something that the retirer may be waiting for has happened: a loop passed, a call returned.
  void poke();

  /// Versions of a module that are still draining or unloading, and the memory that they keep.
  struct Draining {
    size_t versions = 0;
    size_t heap_bytes = 0;
    size_t code_bytes = 0;
    int threads = 0;  ///< of the modules' own
  };
  Draining draining(std::string_view module) const;
  /// Waits until everything given to retire() so far is gone, or the time is over; true when it is gone.
  bool wait_until_done(std::chrono::milliseconds time);

 private:
  struct Pending {
    uint64_t generation;
    std::unique_ptr<const RouteTable> table;
    std::shared_ptr<ModuleVersion> version;  // null when only a table goes
    bool unload_started = false;
    bool unload_returned = false;
    int64_t unload_started_ms = 0;
    std::chrono::milliseconds unload_deadline{0};
    std::shared_ptr<CallingThread> unloader;  // once unload has begun, on this thread as
    uint64_t unload_call = 0;                 // this call of its
    bool overdue_said = false;
    int64_t threads_left_ms = 0;  // since when nothing is waited for but threads of the module's own; 0: not yet
    bool threads_said = false;
    bool reporting = false;  // one of the two, on another thread
  };
  void work();
  bool all_loops_passed(uint64_t generation) const;
  bool advance(Pending& pending);
  void start_unload(Pending& pending);
  void unload(Pending& pending);
  void report_when_overdue(Pending& pending);
  void report_when_threads_stay(Pending& pending);
  bool report(Pending& pending, void (*report)(const Pending&));
  static void report_overdue_unload(const Pending& pending);

  std::atomic<int>& wanted(uint64_t version_id) { return wanted_[version_id % wanted_.size()]; }

  SpareThreads& spares_;
  DeadlineWatch& deadlines_;
  std::array<std::atomic<int>, 1024> wanted_{};
  mutable std::mutex mutex_;
  std::condition_variable poked_condition_;
  std::condition_variable done_condition_;
  std::vector<LoopGate*> gates_;                        // guarded by mutex_
  std::list<Pending> pending_;                          // guarded by mutex_
  std::vector<std::shared_ptr<ModuleVersion>> let_go_;  // guarded by mutex_
  bool poked_ = false;                                  // guarded by mutex_
  bool giving_back_ = false;  // guarded by mutex_; what is no longer pending is being destroyed
  bool reporting_ = false;    // guarded by mutex_; something that is overdue is being reported
  bool stopping_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace cweb::runtime
