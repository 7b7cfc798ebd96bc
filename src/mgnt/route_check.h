// What a module's routes must be before anybody may own them: outside /mgnt, patterns that can be matched. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/module_config.h"

namespace cweb::mgnt {

/// A row that is refused, and the HTTP status that says why: 409 for a path that is ours, 422 for a bad pattern.
struct RefusedRoute {
  int status = 422;
  std::string message;
  SourcePosition position;
};

/// Compiles the patterns of the routes into them. Null when all is well.
std::optional<RefusedRoute> check_routes(runtime::ModuleConfig& config);

/// One sentence for each row that an earlier row of the same method and path makes useless.
std::vector<std::string> repeated_rows(const runtime::ModuleConfig& config);

}  // namespace cweb::mgnt
