// The immutable table that requests are routed by: one hash for exact paths, then patterns in the order in which their
// modules first came.
#pragma once

#include <memory>
#include <string>
#include <string_view>
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
  const RouteConfig* route = nullptr;
  const std::string* allow = nullptr;  ///< for no_such_method (and OPTIONS): the value of the Allow header
};

class RouteTable {
 public:
  static std::unique_ptr<const RouteTable> build(std::vector<std::shared_ptr<ModuleVersion>> versions);
  virtual ~RouteTable() = default;

  /// `method` as sent. HEAD finds a GET route where no HEAD route is.
  virtual RouteMatch find(std::string_view method, std::string_view path) const = 0;
};

}  // namespace cweb::runtime
