// Ends a call into a module from inside it: exit, abort, a failed assert, a double free. The call's recovery point is
// jumped back to, over whatever frames lie between: none of them may hold an object with a destructor or a lock.
#pragma once

#include <setjmp.h>

namespace cweb::runtime {

/// Where a call goes on when the module ends it.
struct RecoveryPoint {
  sigjmp_buf jump;
  char reason[256];  ///< one sentence, set before the jump
};

/// The point that stop_module_call() jumps to on this thread; null: there is none.
void set_recovery_point(RecoveryPoint* point);
RecoveryPoint* recovery_point();

/// Does not return: jumps to this thread's recovery point. Without one the process ends, loudly: only code of a module
/// may get here.
[[noreturn]] void stop_module_call(const char* reason);

}  // namespace cweb::runtime
