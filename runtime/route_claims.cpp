#include "runtime/route_claims.h"

#include <spdlog/fmt/fmt.h>

#include "runtime/route_table.h"

namespace cweb::runtime {

std::optional<Conflict> find_conflict(const ModuleConfig& wanted, const ModuleConfig& owner) {
  for (const RouteConfig& route : wanted.routes) {
    for (const RouteConfig& owned : owner.routes) {
      if (route.method == owned.method && route.path == owned.path) {
        return Conflict{route.method + " " + route.path, owner.name, route.position};
      }
    }
  }
  for (const WebSocketConfig& socket : wanted.websockets) {
    for (const WebSocketConfig& owned : owner.websockets) {
      if (socket.path == owned.path) return Conflict{"WebSocket " + socket.path, owner.name, socket.position};
    }
  }
  return std::nullopt;
}

std::vector<std::string> overlaps(const ModuleConfig& wanted, const ModuleConfig& other) {
  std::vector<std::string> sentences;
  for (const RouteConfig& mine : wanted.routes) {
    for (const RouteConfig& theirs : other.routes) {
      if (mine.method != theirs.method || mine.is_pattern == theirs.is_pattern) continue;
      const RouteConfig& pattern = mine.is_pattern ? mine : theirs;
      const RouteConfig& literal = mine.is_pattern ? theirs : mine;
      if (!pattern.pattern->matches(literal.path)) continue;
      sentences.push_back(mine.is_pattern
                              ? fmt::format("pattern {} {} covers {} of module {}, which keeps answering that path",
                                            mine.method, mine.path, theirs.path, other.name)
                              : fmt::format("{} {} is covered by pattern {} of module {}; the literal path wins",
                                            mine.method, mine.path, theirs.path, other.name));
    }
  }
  return sentences;
}

std::vector<std::string> shadowed_rows(const ModuleConfig& config) {
  std::vector<std::string> sentences;
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const RouteConfig& row = config.routes[i];
    if (row.is_pattern) continue;
    for (size_t j = 0; j < i; ++j) {
      const RouteConfig& earlier = config.routes[j];
      if (!earlier.is_pattern || earlier.method != row.method || !earlier.pattern->matches(row.path)) continue;
      sentences.push_back(
          fmt::format("{} {} is never reached: {} stands before it and covers it", row.method, row.path, earlier.path));
      break;
    }
  }
  return sentences;
}

}  // namespace cweb::runtime
