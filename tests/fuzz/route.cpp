// Route patterns and the table that requests are routed by. Lines: "METHOD path" is a row of the module, "=" begins the
// next module, "?METHOD path" is a request. The table is compared with a search that goes through all rows.
#include "base/error.h"
#include "fuzz/support/input.h"
#include "unit/fake_image.h"

namespace {

using namespace cweb;
using namespace cweb::runtime;

using Versions = std::vector<std::shared_ptr<ModuleVersion>>;

constexpr size_t max_versions = 4, max_rows = 16, max_requests = 32;

std::pair<std::string_view, std::string_view> split(std::string_view line) {
  const size_t space = line.find(' ');
  return {line.substr(0, space), space == line.npos ? std::string_view() : line.substr(space + 1)};
}

void add_row(ModuleVersion& version, std::string_view line) {
  RouteConfig route;
  const auto [method, path] = split(line);
  route.method = method;
  route.path = path;
  route.is_pattern = is_pattern(path);
  if (route.is_pattern) {
    auto pattern = RoutePattern::compile(path);
    if (!pattern) {
      CWEB_ASSERT(pattern.error().message.find("route pattern") == 0);
      return;
    }
    route.pattern = std::move(*pattern);
    // What has no metacharacter that matters is matched by itself.
    if (path.find_first_not_of("abcdefghijklmnopqrstuvwxyz/.") == path.npos) CWEB_ASSERT(route.pattern->matches(path));
  }
  version.config.routes.push_back(std::move(route));
}

bool covers(const RouteConfig& route, std::string_view path) {
  return route.is_pattern ? route.pattern->matches(path) : route.path == path;
}

/// The first row of the module that has the request.
size_t first_row(const ModuleVersion& version, std::string_view method, std::string_view path) {
  const auto& routes = version.config.routes;
  for (size_t i = 0; i < routes.size(); ++i) {
    if (routes[i].method == method && covers(routes[i], path)) return i;
  }
  return routes.size();
}

/// Literals of all modules are asked before patterns; within a module the first row wins.
RouteMatch search(const Versions& versions, std::string_view method, std::string_view path) {
  bool path_known = false;
  for (const bool patterns : {false, true}) {
    for (const auto& version : versions) {
      for (const RouteConfig& route : version->config.routes) {
        if (route.is_pattern != patterns || !covers(route, path)) continue;
        path_known = true;
        if (route.method != method) continue;
        return {RouteMatch::Kind::found, version.get(), first_row(*version, method, path)};
      }
    }
  }
  if (!path_known) return {};
  if (method == "HEAD") return search(versions, "GET", path);
  return {RouteMatch::Kind::no_such_method, nullptr, 0};
}

void check_request(const RouteTable& table, const Versions& versions, std::string_view line) {
  const auto [method, path] = split(line);
  const RouteMatch seen = table.find(method, path);
  const RouteMatch expected = search(versions, method, path);
  CWEB_ASSERT(seen.kind == expected.kind);
  CWEB_ASSERT(seen.version == expected.version && seen.route == expected.route);
  const std::string allowed = ", " + table.allowed_methods(path) + ",";
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    const bool is_allowed = allowed.find(std::string(", ") + known + ",") != allowed.npos;
    CWEB_ASSERT(is_allowed == (table.find(known, path).kind == RouteMatch::Kind::found));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Versions versions{make_version(1, "m", {})};
  std::vector<std::string_view> requests;
  for (fuzz::Input input(data, size); !input.empty();) {
    const std::string_view line = input.line();
    if (line.starts_with('?')) {
      if (requests.size() < max_requests) requests.push_back(line.substr(1));
    } else if (line.starts_with('=')) {
      if (versions.size() < max_versions) versions.push_back(make_version(versions.size() + 1, "m", {}));
    } else if (versions.back()->config.routes.size() < max_rows) {
      add_row(*versions.back(), line);
    }
  }
  const auto table = RouteTable::build(versions);
  for (const std::string_view request : requests) check_request(*table, versions, request);
  return 0;
}
