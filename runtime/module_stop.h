// Ends a call into a module from inside it: exit, abort, a failed assert, a double free. The call's recovery point is
// jumped back to, over whatever frames lie between: none of them may hold an object with a destructor or a lock.
#pragma once

#include <setjmp.h>

#include <cstdint>

#include "runtime/fault_record.h"

namespace cweb::runtime {

/// Where a call goes on when it is ended from inside, by the module or by a fault.
struct RecoveryPoint {
  sigjmp_buf jump;
  FaultRecord fault;                  ///< filled in before the jump
  uintptr_t stack_end = UINTPTR_MAX;  ///< from here on the stack is not the call's
};

/// The point that a call on this thread goes back to; null: the thread is inside no call.
void set_recovery_point(RecoveryPoint* point);
/// The same, by the function that makes the call, right before it.
void enter_call(RecoveryPoint& point);
RecoveryPoint* recovery_point();

/// Does not return: jumps to this thread's recovery point. Without one the process ends, loudly: only code of a module
/// may get here. `reason` is one sentence. `in_library`: something of a library that was called may be half done.
[[noreturn]] void stop_module_call(const char* reason, bool in_library = false);

}  // namespace cweb::runtime
