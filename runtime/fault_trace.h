// Where the code of modules was when a call was interrupted: program counters, found by frame pointers, by the unwinder
// through libraries, and by looking at the stack where both end. Code is that of the version that was called and of any
// other whose functions it calls. What is found by looking is the called version's, or that of the one which the
// library called: calls of others have left their frames on the stack, too. Called in signal handlers: allocates and
// locks nothing. What it reads of the stack may fault; whoever calls it is prepared for that.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "runtime/fault_record.h"

namespace cweb::runtime {

struct Range {
  uintptr_t begin = 0, end = 0;
  bool contains(uintptr_t address) const { return address - begin < end - begin; }
};

struct Registers {
  uintptr_t pc, sp, fp;
};
Registers registers_of(const ucontext_t& context);

/// What was on the way from the interrupted instruction to the innermost frame of a module.
struct Unwinding {
  uintptr_t pc = 0, fp = 0;      ///< of that frame
  bool in_allocator = false;     ///< one of the frames that were left is the process's allocator's
  uintptr_t return_address = 0;  ///< of the library's function that the module called: where on the stack it is
  uintptr_t returns_to = 0;      ///< and what stands there
  int steps = 0;
};

/// Before the others, once: loads the unwinder, which allocates, and looks for the process's allocator.
void set_up_tracing();

/// The calling thread's stack; before anything is traced on it.
void set_traced_stack(Range stack);
const Range& traced_stack();
/// Are there two words at this address?
bool on_stack(uintptr_t address);

/// Fills in the frames of `record`. There is a current version.
Unwinding trace(FaultRecord& record, const Registers& at);
/// The same from the calling function on, in a function that the module has called.
Unwinding trace_through_libraries(FaultRecord& record);

}  // namespace cweb::runtime
