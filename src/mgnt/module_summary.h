// What the management answers tell of a module: plain data, copied out of a version so that no answer keeps one alive.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/module_version.h"
#include "runtime/registry.h"

namespace cweb::mgnt {

struct ModuleSummary {
  std::string name, author;
  std::string hash;
  unsigned version = 0;  ///< 0: it was only checked
  std::string state;
  std::vector<std::pair<std::string, std::string>> routes;  ///< method, path
  std::vector<std::string> websockets;                      ///< paths
  std::string deployed_at;                                  ///< empty while it has not gone live
};

ModuleSummary summarize(const runtime::ModuleVersion& version);

/// The same names as in the list of modules.
nlohmann::ordered_json to_json(const ModuleSummary& summary);
/// A live module with its counters.
nlohmann::ordered_json to_json(const runtime::ModuleStatus& status, uint64_t faults);

/// JSON as text with a line end. Bytes that are not UTF-8 become U+FFFD: sources and compiler messages may hold any.
std::string json_text(const nlohmann::ordered_json& json);

}  // namespace cweb::mgnt
