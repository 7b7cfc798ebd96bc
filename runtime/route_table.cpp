#include "runtime/route_table.h"

#include <algorithm>
#include <array>

namespace cweb::runtime {
namespace {

/// A literal behind a pattern of the same module that covers it is never reached: the first matching row wins.
size_t first_matching_row(const ModuleConfig& config, size_t literal) {
  const RouteConfig& wanted = config.routes[literal];
  for (size_t i = 0; i < literal; ++i) {
    const RouteConfig& earlier = config.routes[i];
    if (earlier.is_pattern && earlier.method == wanted.method && earlier.pattern->matches(wanted.path)) return i;
  }
  return literal;
}

}  // namespace

std::unique_ptr<const RouteTable> RouteTable::build(std::vector<std::shared_ptr<ModuleVersion>> versions) {
  auto table = std::make_unique<RouteTable>();
  table->versions_ = std::move(versions);
  for (const auto& version : table->versions_) table->add_version(*version);
  return table;
}

void RouteTable::add_version(ModuleVersion& version) {
  const ModuleConfig& config = version.config;
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const RouteConfig& route = config.routes[i];
    if (route.is_pattern) {
      patterns_.push_back({route.pattern.get(), {route.method, &version, i}});
    } else {
      literals_[route.path].push_back({route.method, &version, first_matching_row(config, i)});
    }
  }
  for (size_t i = 0; i < config.websockets.size(); ++i) sockets_[config.websockets[i].path] = {&version, i};
}

SocketMatch RouteTable::find_socket(std::string_view path) const {
  const auto found = sockets_.find(path);
  return found == sockets_.end() ? SocketMatch{} : found->second;
}

bool RouteTable::has_module(std::string_view name) const {
  return std::ranges::any_of(versions_, [&](const auto& version) { return version->config.name == name; });
}

RouteMatch RouteTable::find(std::string_view method, std::string_view path) const {
  bool path_known = false;
  if (const auto literal = literals_.find(path); literal != literals_.end()) {
    path_known = true;
    for (const Row& row : literal->second) {
      if (row.method == method) return {RouteMatch::Kind::found, row.version, row.route};
    }
  }
  for (const PatternRow& candidate : patterns_) {
    const bool method_fits = candidate.row.method == method;
    if ((path_known && !method_fits) || !candidate.pattern->matches(path)) continue;
    if (method_fits) return {RouteMatch::Kind::found, candidate.row.version, candidate.row.route};
    path_known = true;
  }
  if (!path_known) return {};
  // RFC 9110, 9.3.2: HEAD is GET without the content.
  if (method == "HEAD") return find("GET", path);
  return {RouteMatch::Kind::no_such_method, nullptr, 0};
}

std::string RouteTable::allowed_methods(std::string_view path) const {
  static constexpr std::array<std::string_view, 7> order{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  std::array<bool, order.size()> allowed{};
  const auto allow = [&](std::string_view method) {
    const auto place = std::find(order.begin(), order.end(), method);
    if (place != order.end()) allowed[static_cast<size_t>(place - order.begin())] = true;
  };
  if (const auto literal = literals_.find(path); literal != literals_.end()) {
    for (const Row& row : literal->second) allow(row.method);
  }
  for (const PatternRow& candidate : patterns_) {
    if (candidate.pattern->matches(path)) allow(candidate.row.method);
  }
  if (std::none_of(allowed.begin(), allowed.end(), [](bool is) { return is; })) return {};
  if (allowed[0]) allow("HEAD");
  allow("OPTIONS");
  std::string text;
  for (size_t i = 0; i < order.size(); ++i) {
    if (!allowed[i]) continue;
    if (!text.empty()) text += ", ";
    text += order[i];
  }
  return text;
}

}  // namespace cweb::runtime
