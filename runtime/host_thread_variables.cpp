// Variables that are local to a thread, as compiled code finds them (-femulated-tls).
#include <cstdint>

#include "runtime/code_map.h"
#include "runtime/emulated_tls.h"
#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

[[noreturn]] void stop_without_variable() {
  stop_module_call("the module asked for a thread-local variable that does not exist");
}

/// What `function` answers for the version that the variable is defined in, which need not be the one that was called.
/// 0 without such a version.
template <class Function>
auto with_owner(ModuleVersion& called, const EmulatedVariable* variable, Function function) {
  const HostSection section;
  if (called.image().contains(variable)) return function(called);
  // It may be the last reference: a deadline must not end the call in the middle of what then goes.
  const auto owner = find_version(find_code(reinterpret_cast<uintptr_t>(variable)).version);
  return owner ? function(*owner) : decltype(function(called)){};
}

/// 0: the version has as many as bytes in its image, so this is no variable of its.
uintptr_t new_index(ModuleVersion& owner) {
  return owner.tls().last_index() < owner.image().bytes() ? owner.tls().new_index() : 0;
}

/// Gives the variable its index, which is written outside of the section.
uintptr_t add_variable(ModuleVersion& called, EmulatedVariable* variable) {
  const uintptr_t next = with_owner(called, variable, new_index);
  if (next == 0) stop_without_variable();
  uintptr_t index = 0;
  // Two threads that come first: the later takes the earlier one's number, and its own stays unused.
  const bool is_first =
      __atomic_compare_exchange_n(&variable->index, &index, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return is_first ? next : index;
}

/// The thread's first use of it. What the module gave is read outside of the section.
void* make_variable(ModuleVersion& called, const EmulatedVariable* variable, uintptr_t index) {
  const EmulatedVariable copy{variable->size, variable->alignment, index, variable->initial_value};
  const uintptr_t last = with_owner(called, variable, [](ModuleVersion& owner) { return owner.tls().last_index(); });
  if (index > last || !copy.is_possible()) stop_without_variable();
  if (copy.initial_value != nullptr) read_through(copy.initial_value, copy.size);
  void* const address = with_owner(called, variable, [&](ModuleVersion& owner) { return owner.tls().make(copy); });
  if (address == nullptr) stop_module_call("no memory for a thread-local variable");
  return address;
}

void* host_emutls_get_address(void* control) {
  ModuleVersion* const version = current_version();
  auto* const variable = static_cast<EmulatedVariable*>(control);
  const bool is_aligned = reinterpret_cast<uintptr_t>(control) % alignof(EmulatedVariable) == 0;
  if (version == nullptr || variable == nullptr || !is_aligned) stop_without_variable();
  uintptr_t index = __atomic_load_n(&variable->index, __ATOMIC_ACQUIRE);
  if (index == 0) index = add_variable(*version, variable);
  void* const address = with_owner(*version, variable, [&](ModuleVersion& owner) { return owner.tls().find(index); });
  return address != nullptr ? address : make_variable(*version, variable, index);
}

}  // namespace

std::span<const HostSymbol> thread_variable_functions() {
  static const HostSymbol functions[] = {host_function("__emutls_get_address", host_emutls_get_address)};
  return functions;
}

}  // namespace cweb::runtime
