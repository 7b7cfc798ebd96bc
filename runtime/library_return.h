// A call that is to end when the function of a library that it is in returns, and not before: its locks may be held.
// Where that function returns to is exchanged on the stack for the way out of the call. For signal handlers on the
// call's own thread.
#pragma once

#include <cstdint>

#include "runtime/fault_trace.h"

namespace cweb::runtime {

/// Where the library's function that the module has called finds the address that it returns to; null: nowhere.
uintptr_t* return_address(const Unwinding& unwinding);

/// Exchanges it: what is noted in the recovery point by now is what the call ends with.
void stop_at_return(uintptr_t& return_address);

/// Has the function returned, and the call is about to end? `sp` is the interrupted stack pointer.
bool returned_to_way_out(uintptr_t sp);

/// Before the stack is looked at. Where the function has been left in another way there is nothing to put back.
void put_return_back();

/// The call has ended.
void forget_exchanged_return();

}  // namespace cweb::runtime
