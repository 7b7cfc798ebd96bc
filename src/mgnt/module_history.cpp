#include "mgnt/module_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/form.h"

namespace cweb::mgnt {
namespace {

using nlohmann::ordered_json;
using store::HistoryEntry;
using Refused = std::unexpected<KeepFailure>;

constexpr size_t fewest_digits = 4;

Refused refused(int status, std::string message) {
  return Refused(KeepFailure{status, std::move(message)});
}

/// Empty without `to`.
std::expected<std::string, KeepFailure> wanted_hash(const std::string& query) {
  const auto fields = http::parse_urlencoded(query);
  if (!fields) return refused(400, "the query is not understood: ?to=HASH names a version of the history");
  std::string wanted;
  for (const auto& [name, value] : *fields) {
    if (name == "to") wanted = value;
  }
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const bool is_given =
      std::any_of(fields->begin(), fields->end(), [](const auto& field) { return field.first == "to"; });
  if (is_given && (wanted.size() < fewest_digits || !std::all_of(wanted.begin(), wanted.end(), is_digit))) {
    return refused(400, "to is the beginning of a version's hash: at least 4 digits of 0-9 and a-f");
  }
  return wanted;
}

}  // namespace

ordered_json history_json(const std::string& module, const std::vector<HistoryEntry>& entries,
                          const std::optional<runtime::ModuleStatus>& live) {
  ordered_json json{{"name", module}, {"versions", ordered_json::array()}};
  for (const HistoryEntry& entry : entries) {
    json["versions"].push_back({{"hash", entry.hash},
                                {"deployed_at", entry.deployed_at},
                                {"bytes", entry.bytes},
                                {"live", entry.was_live && live && live->live->hash == entry.hash},
                                {"was_live", entry.was_live}});
  }
  return json;
}

std::expected<HistoryEntry, KeepFailure> choose_version(const std::string& module,
                                                        const std::vector<HistoryEntry>& entries,
                                                        const std::string& live_hash, const std::string& query) {
  const auto wanted = wanted_hash(query);
  if (!wanted) return std::unexpected(wanted.error());
  if (entries.empty()) return refused(404, "there is no module named " + module + ", and no history of one");
  std::vector<HistoryEntry> found;
  for (const HistoryEntry& entry : entries) {
    const bool is_before = entry.was_live && entry.hash != live_hash;
    const bool is_meant = wanted->empty() ? is_before : entry.hash.starts_with(*wanted);
    // A text that was saved and live later stands there twice.
    const auto is_same = [&](const HistoryEntry& other) { return other.hash == entry.hash; };
    if (is_meant && std::none_of(found.begin(), found.end(), is_same)) found.push_back(entry);
  }
  if (found.empty() && wanted->empty())
    return refused(404, fmt::format("there is no version of {} but the live one", module));
  if (found.empty()) {
    return refused(404, fmt::format("no version of {} has a hash that begins with {}: see /mgnt/modules/{}/history",
                                    module, *wanted, module));
  }
  if (!wanted->empty() && found.size() > 1) {
    return refused(409, fmt::format("{} versions of {} have a hash that begins with {}: give more digits", found.size(),
                                    module, *wanted));
  }
  return found.front();
}

}  // namespace cweb::mgnt
