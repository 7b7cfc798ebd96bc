// Look-up of other modules' symbols, as cweb.h has it, for C.
#include <cweb.h>

#include <new>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/host_objects.h"
#include "runtime/module_thread.h"
#include "runtime/primitives.h"

namespace cweb::runtime {
namespace {

/// (module, name), or (user_data, module, name), where user_data is the object.
void* host_resolv(void* a, void* b, void* c) {
  Primitives* const all = primitives();
  ModuleVersion* const version = current_version();
  const Arguments<3> given(host_objects().symbols, a, b, c);
  const auto* const module = given.at<const char*>(0);
  const auto* const name = given.at<const char*>(1);
  if (all == nullptr || version == nullptr || module == nullptr || name == nullptr) return nullptr;
  const std::string_view module_text(module, read_through(module)), name_text(name, read_through(name));
  const HostSection section;
  try {
    return all->symbols.find(*version, module_text, name_text);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

void fill_in(struct symbols& symbols) {
  set_member(symbols.resolv, host_resolv);
  symbols.user_data = &symbols;
}

std::span<const HostSymbol> symbol_functions() {
  static const HostSymbol functions[] = {{"symbols", const_cast<struct symbols**>(&host_objects().symbols)}};
  return functions;
}

}  // namespace cweb::runtime
