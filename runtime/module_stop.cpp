#include "runtime/module_stop.h"

#include <cstdio>

#include "base/error.h"
#include "runtime/fault_guard.h"

namespace cweb::runtime {
namespace {

thread_local RecoveryPoint* point_of_thread = nullptr;

}  // namespace

void set_recovery_point(RecoveryPoint* point) {
  point_of_thread = point;
}

/// Not inlined: behind its own frame stands that of the function which makes the call.
__attribute__((noinline)) void enter_call(RecoveryPoint& point) {
  constexpr uintptr_t own_bytes = 2 * sizeof(uintptr_t);  // the frame pointer and the return address
  point.stack_end = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) + own_bytes;
  point_of_thread = &point;
}

RecoveryPoint* recovery_point() {
  return point_of_thread;
}

void stop_module_call(const char* reason, bool in_library) {
  RecoveryPoint* point = point_of_thread;
  CWEB_ASSERT(point != nullptr && "module code runs behind a recovery point");
  hold_deadline_off();
  point->fault = {};
  point->fault.kind = FaultRecord::Kind::stopped;
  std::snprintf(point->fault.reason, sizeof point->fault.reason, "%s", reason);
  trace_call(point->fault);
  point->fault.outside_module = in_library;
  siglongjmp(point->jump, 1);
}

}  // namespace cweb::runtime
