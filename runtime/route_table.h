// The immutable table that requests are routed by: one hash for exact paths, then patterns in the order in which their
// modules first came.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "runtime/module_version.h"

namespace cweb::runtime {

/// A compiled route pattern (POSIX extended, matched against the whole path, Latin-1).
class RoutePattern {
 public:
  /// Fails with the pattern's fault and its place.
  static Expected<std::shared_ptr<const RoutePattern>> compile(std::string_view pattern);
  virtual ~RoutePattern() = default;
  virtual bool matches(std::string_view path) const = 0;
};

/// Has the path a metacharacter of an extended regular expression? Then it is a pattern.
bool is_pattern(std::string_view path);

struct RouteMatch {
  enum class Kind { found, no_such_path, no_such_method };
  Kind kind = Kind::no_such_path;
  ModuleVersion* version = nullptr;
  size_t route = 0;  ///< index into version->config.routes
};

/// A WebSocket path with the module that has it.
struct SocketMatch {
  ModuleVersion* version = nullptr;  ///< null: nobody has the path
  size_t socket = 0;                 ///< index into version->config.websockets
};

class RouteTable {
 public:
  /// `versions` in the order in which their modules first came.
  static std::unique_ptr<const RouteTable> build(std::vector<std::shared_ptr<ModuleVersion>> versions);

  /// `method` as sent. HEAD finds a GET route where no HEAD route is. Allocates nothing.
  RouteMatch find(std::string_view method, std::string_view path) const;
  /// The module whose sockets `path` has.
  SocketMatch find_socket(std::string_view path) const;
  /// Is a module of this name live?
  bool has_module(std::string_view name) const;
  /// The value of the Allow header for a path, "GET, HEAD, OPTIONS"; empty when nothing has the path.
  std::string allowed_methods(std::string_view path) const;

 private:
  struct Row {
    std::string_view method;
    ModuleVersion* version;
    size_t route;
  };
  struct PatternRow {
    const RoutePattern* pattern;
    Row row;
  };
  void add_version(ModuleVersion& version);

  std::vector<std::shared_ptr<ModuleVersion>> versions_;
  std::unordered_map<std::string_view, std::vector<Row>> literals_;
  std::vector<PatternRow> patterns_;
  std::unordered_map<std::string_view, SocketMatch> sockets_;
};

}  // namespace cweb::runtime
