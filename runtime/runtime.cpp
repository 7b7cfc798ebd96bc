#include "runtime/runtime.h"

#include "runtime/fault_guard.h"

namespace cweb::runtime {

Runtime::Runtime(size_t most_threads)
    : spares_(most_threads), monitor_(spares_, deadlines_), retirer_(spares_, deadlines_), registry_(retirer_) {}

Expected<std::unique_ptr<Runtime>> Runtime::create(size_t most_threads) {
  set_up_fault_guard();
  return std::unique_ptr<Runtime>(new Runtime(most_threads));
}

void Runtime::add_loop(LoopGate& gate) {
  gate.pass(registry_.generation());
  retirer_.add(gate);
  monitor_.add(gate);
}

void Runtime::remove_loop(LoopGate& gate) {
  monitor_.remove(gate);
  retirer_.remove(gate);
  deadlines_.forget(gate);
}

void Runtime::drive(LoopGate& gate) {
  SpareThreads::Task task = [&gate] { gate.drive(); };
  const bool started = spares_.run(task);
  CWEB_ASSERT(started);
}

bool Runtime::unload_all(std::chrono::milliseconds deadline) {
  registry_.remove_all();
  return retirer_.wait_until_done(deadline);
}

}  // namespace cweb::runtime
