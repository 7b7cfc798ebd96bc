// The calls of a module over all its versions. A module keeps its counts through a deploy: what a version has counted
// is added to the module's sum in the moment in which the version goes.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/call_counters.h"

namespace cweb::runtime {

struct ModuleConfig;

/// A route as its module names it: method, path.
using RouteName = std::pair<std::string, std::string>;

/// What a module's calls come to.
struct ModuleTotals {
  CallTotals calls;
  /// The routes of the version that was added last. There are never more of them than a module declares.
  std::map<RouteName, StatusCounts> routes;
};

/// Thread-safe.
class ModuleCounters {
 public:
  /// A version goes live: its counts belong to the sum from here on, and its routes are those that are told of. Until
  /// fold(), `config` and `counters` stay where they are.
  void add(const ModuleConfig& config, const CallCounters& counters);
  /// The version goes, and nobody is inside it any more: its counts stay in the sum.
  void fold(const CallCounters& counters);

  ModuleTotals totals() const;
  uint64_t calls() const;

 private:
  struct Version {
    const ModuleConfig* config;
    const CallCounters* counters;
  };
  static void add_up(const Version& version, ModuleTotals& totals);

  mutable std::mutex mutex_;
  std::vector<Version> versions_;  // guarded by mutex_
  ModuleTotals earlier_;           // guarded by mutex_; of versions that are gone
};

}  // namespace cweb::runtime
