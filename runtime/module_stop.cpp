#include "runtime/module_stop.h"

#include <cstdio>

#include "base/error.h"

namespace cweb::runtime {
namespace {

thread_local RecoveryPoint* point_of_thread = nullptr;

}  // namespace

void set_recovery_point(RecoveryPoint* point) {
  point_of_thread = point;
}

RecoveryPoint* recovery_point() {
  return point_of_thread;
}

void stop_module_call(const char* reason) {
  RecoveryPoint* point = point_of_thread;
  CWEB_ASSERT(point != nullptr && "module code runs behind a recovery point");
  std::snprintf(point->reason, sizeof point->reason, "%s", reason);
  siglongjmp(point->jump, 1);
}

}  // namespace cweb::runtime
