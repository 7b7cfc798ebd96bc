// Functions and variables that modules offer each other.
#pragma once

#include <string_view>

namespace cweb::runtime {

class ModuleVersion;
class Registry;

/// Thread-safe.
class ModuleSymbols {
 public:
  explicit ModuleSymbols(const Registry& registry) : registry_(registry) {}

  /// What the live version of `module` exports as `name`, or null. That version stays in memory as long as `asking`
  /// may still run.
  void* find(ModuleVersion& asking, std::string_view module, std::string_view name) const;

 private:
  const Registry& registry_;
};

}  // namespace cweb::runtime
