#include "runtime/library_return.h"

#include <setjmp.h>

#include <utility>

#include "base/error.h"
#include "runtime/fault_guard.h"
#include "runtime/module_stop.h"

namespace cweb::runtime {
namespace {

[[noreturn]] void stop_call() {
  CWEB_ASSERT(!HostSection::entered() && "no function of a module's is called in a section");
  siglongjmp(recovery_point()->jump, 1);
}

/// What a library's function returns into instead of the module, behind the nop: the call ends. The unwinder looks at
/// the instruction before a return address, and is told that there is no caller.
__attribute__((naked)) void stop_after_library() {
  asm volatile(
      ".cfi_undefined rip\n\t"
      "nop\n\t"
      "andq $-16, %%rsp\n\t"
      "call %P0"
      :
      : "i"(stop_call));
}

uintptr_t way_out_of_library() {
  constexpr uintptr_t nop_bytes = 1;
  return reinterpret_cast<uintptr_t>(&stop_after_library) + nop_bytes;
}

/// A return address that was exchanged for that.
struct ExchangedReturn {
  uintptr_t* slot = nullptr;
  uintptr_t returns_to = 0;
};
thread_local ExchangedReturn exchanged_return;

}  // namespace

uintptr_t* return_address(const Unwinding& unwinding) {
  auto* const slot = reinterpret_cast<uintptr_t*>(unwinding.return_address);
  return on_stack(unwinding.return_address) && *slot == unwinding.returns_to ? slot : nullptr;
}

void stop_at_return(uintptr_t& slot) {
  exchanged_return = {.slot = &slot, .returns_to = slot};
  slot = way_out_of_library();
}

bool returned_to_way_out(uintptr_t sp) {
  const auto slot = reinterpret_cast<uintptr_t>(exchanged_return.slot);
  return slot != 0 && slot < sp && on_stack(slot) && *exchanged_return.slot == way_out_of_library();
}

void put_return_back() {
  const auto [slot, returns_to] = std::exchange(exchanged_return, {});
  if (slot != nullptr && on_stack(reinterpret_cast<uintptr_t>(slot)) && *slot == way_out_of_library()) {
    *slot = returns_to;
  }
}

void forget_exchanged_return() {
  exchanged_return = {};
}

}  // namespace cweb::runtime
