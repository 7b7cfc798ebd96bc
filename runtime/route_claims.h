// Who may own which route: the rules of conflict between two modules, apart from where modules are kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/module_config.h"

namespace cweb::runtime {

/// A route or socket path that another module owns.
struct Conflict {
  std::string what;         ///< "GET /counter" or "WebSocket /chat"
  std::string owner;        ///< name of the module that owns it
  SourcePosition position;  ///< of the row in the refused source
};

/// The first route or socket path of `wanted` that `owner` has too: same method and same literal, or same method and
/// same pattern text; the same socket path.
std::optional<Conflict> find_conflict(const ModuleConfig& wanted, const ModuleConfig& owner);

/// One sentence for each literal of one module that a pattern of the other covers, both ways. Allowed, and worth
/// telling: the literal wins.
std::vector<std::string> overlaps(const ModuleConfig& wanted, const ModuleConfig& other);

/// One sentence for each row of the module that an earlier row shadows.
std::vector<std::string> shadowed_rows(const ModuleConfig& config);

}  // namespace cweb::runtime
