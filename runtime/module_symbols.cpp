#include "runtime/module_symbols.h"

#include <string>

#include "runtime/module_version.h"
#include "runtime/registry.h"

namespace cweb::runtime {

void* ModuleSymbols::find(ModuleVersion& asking, std::string_view module, std::string_view name) const {
  const std::shared_ptr<ModuleVersion> live = registry_.live_version(module);
  // None of the calls of a module that is quarantined is to be made, this way neither.
  if (!live || live->quarantined.load()) return nullptr;
  void* const address = live->image().symbol(name);
  if (address != nullptr && live.get() != &asking) asking.keep(live);
  return address;
}

}  // namespace cweb::runtime
