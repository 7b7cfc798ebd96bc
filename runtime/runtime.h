// Everything that lives while module code may run, made and ended in the right order.
#pragma once

#include <chrono>
#include <memory>

#include "base/error.h"
#include "runtime/deadline_watch.h"
#include "runtime/handover_monitor.h"
#include "runtime/registry.h"
#include "runtime/retirer.h"
#include "runtime/spare_threads.h"

namespace cweb::runtime {

class Runtime {
 public:
  /// Threads that may run module code, over all modules and loops.
  static constexpr size_t max_threads = 1024;

  static Expected<std::unique_ptr<Runtime>> create(size_t most_threads = max_threads);

  Registry& registry() { return registry_; }
  SpareThreads& spare_threads() { return spares_; }
  HandoverMonitor& monitor() { return monitor_; }
  Retirer& retirer() { return retirer_; }
  DeadlineWatch& deadlines() { return deadlines_; }

  /// A loop that will be driven by these threads and reads the registry's table; before its first drive.
  void add_loop(LoopGate& gate);
  /// After its last drive.
  void remove_loop(LoopGate& gate);
  /// Starts driving a loop that was added.
  void drive(LoopGate& gate);

  /// Removes all modules and waits for their calls and unloads, at most `deadline`; true when all are gone.
  bool unload_all(std::chrono::milliseconds deadline);

 private:
  explicit Runtime(size_t most_threads);

  // Each uses those before it and is destroyed before them.
  SpareThreads spares_;
  DeadlineWatch deadlines_;
  HandoverMonitor monitor_;
  Retirer retirer_;
  Registry registry_;
};

}  // namespace cweb::runtime
