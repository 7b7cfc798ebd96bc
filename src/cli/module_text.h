// What the server tells of modules, for people. Pure functions; any thread. Whole lines, harmless on a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace cweb::cli {

/// The answer of GET /mgnt as a table; empty without modules.
std::string list_text(const nlohmann::json& answer, bool colours);

/// Which files of the server's directory are not served, and why; empty when none is.
std::string files_text(const nlohmann::json& answer, bool colours);

/// The answer of GET /mgnt/modules/NAME, its last faults included.
std::string module_text(const nlohmann::json& module, bool colours);

/// The answer of GET /mgnt/modules/NAME/history as a table.
std::string history_text(const nlohmann::json& answer, bool colours);

}  // namespace cweb::cli
