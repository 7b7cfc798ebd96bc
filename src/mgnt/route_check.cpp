#include "mgnt/route_check.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "runtime/route_table.h"

namespace cweb::mgnt {
namespace {

constexpr std::string_view reserved = "/mgnt";

bool is_reserved_literal(std::string_view path) {
  return path == reserved || (path.starts_with(reserved) && path[reserved.size()] == '/');
}

/// A pattern like "/.*" may cover /mgnt, where it is never asked; one that is written for /mgnt is refused.
bool is_reserved_pattern(std::string_view text, const runtime::RoutePattern& pattern) {
  if (text.starts_with('^')) text.remove_prefix(1);
  if (!text.starts_with(reserved)) return false;
  return text.substr(reserved.size()).starts_with('/') || pattern.matches(reserved) || pattern.matches("/mgnt/modules");
}

RefusedRoute reserved_path(const std::string& path, SourcePosition position) {
  return {409, fmt::format("the path {} is reserved: /mgnt and everything below it belong to the server", path),
          position};
}

}  // namespace

std::optional<RefusedRoute> check_routes(runtime::ModuleConfig& config) {
  for (runtime::RouteConfig& route : config.routes) {
    if (!route.is_pattern) {
      if (is_reserved_literal(route.path)) return reserved_path(route.path, route.position);
      continue;
    }
    auto pattern = runtime::RoutePattern::compile(route.path);
    if (!pattern) return RefusedRoute{422, std::move(pattern.error().message), route.position};
    if (is_reserved_pattern(route.path, **pattern)) return reserved_path(route.path, route.position);
    route.pattern = std::move(*pattern);
  }
  for (const runtime::WebSocketConfig& websocket : config.websockets) {
    if (is_reserved_literal(websocket.path)) return reserved_path(websocket.path, websocket.position);
  }
  return std::nullopt;
}

std::vector<std::string> repeated_rows(const runtime::ModuleConfig& config) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::vector<std::string> sentences;
  for (const runtime::RouteConfig& route : config.routes) {
    if (seen.emplace(route.method, route.path).second) continue;
    sentences.push_back(fmt::format("{} {} is given twice (line {}); the first row answers", route.method, route.path,
                                    route.position.line));
  }
  return sentences;
}

}  // namespace cweb::mgnt
