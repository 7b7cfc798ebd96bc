#include "runtime/own_threads.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "base/log.h"
#include "runtime/calling_thread.h"
#include "runtime/fault_sink.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

/// A module may have hundreds, and those that stay are mostly the same function's.
constexpr size_t most_reports = 8;

/// A thread notes its place as soon as it gets the processor.
constexpr std::chrono::milliseconds time_to_answer{100};

/// Where the thread is, when it says so in time.
FaultRecord place_of(CallingThread& thread, uint64_t call) {
  FaultRecord place;
  const auto end = std::chrono::steady_clock::now() + time_to_answer;
  while (!thread.last_seen(call, place) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  place.kind = FaultRecord::Kind::deadline;
  return place;
}

}  // namespace

void report_threads_left(const std::shared_ptr<ModuleVersion>& version) {
  const std::vector<std::shared_ptr<CallingThread>> threads = version->running_own_threads();
  if (threads.empty()) return;
  log::warn("module {} version {}: {} thread{} of its own run{} on {} s after unload; its memory is kept until then",
            version->config.name, version->number, threads.size(), threads.size() == 1 ? "" : "s",
            threads.size() == 1 ? "s" : "", static_cast<double>(version->deadline_ns) / 1e9);
  for (size_t i = 0; i < std::min(threads.size(), most_reports); ++i) {
    const uint64_t call = threads[i]->ask_where();
    if (call == 0) continue;
    const FaultRecord place = place_of(*threads[i], call);
    if (threads[i]->call() != call) continue;
    report_fault(version, place,
                 {.call = "a thread of its own that runs on after unload", .request = {}, .accept = {}});
  }
}

}  // namespace cweb::runtime
