// The scheduler of cweb.h, for C.
#include <cweb.h>

#include <chrono>
#include <new>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_objects.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "runtime/primitives.h"

namespace cweb::runtime {
namespace {

using Function = void (*)(void*);

int add_async(Primitives& all, ModuleVersion& version, Work work) {
  const HostSection section;
  try {
    return all.scheduler.add(version.shared_from_this(), work) ? 0 : -1;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

/// `state` is a worker_state_t, or any other number that a module has given for one.
int host_add(Function function, void* data, int state) {
  Primitives* const all = primitives();
  ModuleVersion* const version = current_version();
  if (all == nullptr || version == nullptr || function == nullptr) return -1;
  if (state == ASYNC) return add_async(*all, *version, {.function = function, .data = data});
  if (state != SYNC) return -1;
  // Here, whoever asks for it: a thread that waited for another one could be one that the other waits for.
  function(data);
  return 0;
}

int host_scheduler_add(void* a, void* b, void* c, void* d) {
  const Arguments<4> given(host_objects().scheduler, a, b, c, d);
  return host_add(given.at<Function>(0), given.at<void*>(1), given.at<int>(2));
}

long start_timer(long first_ms, long period_ms, Function function, void* data) {
  Primitives* const all = primitives();
  ModuleVersion* const version = current_version();
  if (all == nullptr || version == nullptr || function == nullptr) return -1;
  const HostSection section;
  try {
    return all->scheduler.start_timer(version->shared_from_this(), {.function = function, .data = data},
                                      std::chrono::milliseconds(first_ms), std::chrono::milliseconds(period_ms));
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

}  // namespace

void fill_in(struct scheduler& scheduler) {
  set_member(scheduler.add, host_add);
}

}  // namespace cweb::runtime

namespace host = cweb::runtime;

long cweb_after_ms(long ms, void (*work)(void*), void* data) {
  return ms < 0 ? -1 : host::start_timer(ms, 0, work, data);
}

long cweb_every_ms(long ms, void (*work)(void*), void* data) {
  return ms <= 0 ? -1 : host::start_timer(ms, ms, work, data);
}

int cweb_cancel(long timer) {
  host::Primitives* const all = host::primitives();
  const host::ModuleVersion* const version = host::current_version();
  if (all == nullptr || version == nullptr || timer <= 0) return -1;
  const host::HostSection section;
  return all->scheduler.cancel(*version, timer) ? 0 : -1;
}

namespace cweb::runtime {

std::span<const HostSymbol> scheduler_functions() {
  static const HostSymbol functions[] = {
      {"scheduler", const_cast<struct scheduler**>(&host_objects().scheduler)},
      host_function("scheduler_add", host_scheduler_add),
      host_function("cweb_after_ms", cweb_after_ms),
      host_function("cweb_every_ms", cweb_every_ms),
      host_function("cweb_cancel", cweb_cancel),
  };
  return functions;
}

}  // namespace cweb::runtime
