#include "mgnt/module_summary.h"

#include <nlohmann/json.hpp>

namespace cweb::mgnt {

using nlohmann::ordered_json;

ModuleSummary summarize(const runtime::ModuleVersion& version) {
  ModuleSummary summary;
  summary.name = version.config.name;
  summary.author = version.config.author;
  summary.hash = version.hash;
  summary.version = version.number;
  summary.state = runtime::to_string(version.state());
  for (const auto& route : version.config.routes) summary.routes.emplace_back(route.method, route.path);
  for (const auto& websocket : version.config.websockets) summary.websockets.push_back(websocket.path);
  summary.deployed_at = version.deployed_at;
  return summary;
}

ordered_json to_json(const ModuleSummary& summary) {
  ordered_json json;
  json["name"] = summary.name;
  json["author"] = summary.author;
  json["hash"] = summary.hash;
  if (summary.version != 0) json["version"] = summary.version;
  if (!summary.state.empty()) json["state"] = summary.state;
  json["routes"] = ordered_json::array();
  for (const auto& [method, path] : summary.routes) json["routes"].push_back({{"method", method}, {"path", path}});
  json["websockets"] = ordered_json::array();
  for (const auto& path : summary.websockets) json["websockets"].push_back({{"path", path}});
  if (!summary.deployed_at.empty()) json["deployed_at"] = summary.deployed_at;
  return json;
}

ordered_json to_json(const runtime::ModuleStatus& status, uint64_t faults) {
  ordered_json json = to_json(summarize(*status.live));
  if (status.live->quarantined) {
    json["state"] = "quarantined";
    json["quarantine_reason"] = status.live->quarantine_reason;
  }
  json["calls"] = status.calls;
  json["faults"] = faults;
  json["draining"] = status.draining;
  json["threads"] = status.threads;
  const auto use = status.live->heap().use();
  json["memory"] = {{"bytes", use.bytes}, {"blocks", use.blocks}, {"peak_bytes", use.peak_bytes}};
  return json;
}

std::string json_text(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cweb::mgnt
