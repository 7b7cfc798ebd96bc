// The history of a module as its callers see it: as JSON, and which version a rollback means. Pure functions.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mgnt/module_keeper.h"
#include "runtime/registry.h"
#include "store/history.h"

namespace cweb::mgnt {

/// What history and rollback answer when nothing is kept.
inline constexpr const char* no_history =
    "no versions are kept: start the server with --modules DIR, and the last 20 of each module are";

/// The newest first; the version that runs says so, and so does a text that never did.
nlohmann::ordered_json history_json(const std::string& module, const std::vector<store::HistoryEntry>& entries,
                                    const std::optional<runtime::ModuleStatus>& live);

/// The version that the query of a rollback asks for: `to=HASH`, of which four digits or more are given; without it the
/// newest that was live and is not `live_hash`, so that a module that was removed comes back. 400 for a query that is
/// not understood, 404 when there is none, 409 when there are several.
std::expected<store::HistoryEntry, KeepFailure> choose_version(const std::string& module,
                                                               const std::vector<store::HistoryEntry>& entries,
                                                               const std::string& live_hash, const std::string& query);

}  // namespace cweb::mgnt
