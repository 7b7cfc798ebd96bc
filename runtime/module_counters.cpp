#include "runtime/module_counters.h"

#include <algorithm>

#include "runtime/module_config.h"

namespace cweb::runtime {

void ModuleCounters::add(const ModuleConfig& config, const CallCounters& counters) {
  const std::lock_guard lock(mutex_);
  std::map<RouteName, StatusCounts> routes;
  for (const RouteConfig& route : config.routes) {
    RouteName name(route.method, route.path);
    const auto known = earlier_.routes.find(name);
    routes.emplace(std::move(name), known == earlier_.routes.end() ? StatusCounts{} : known->second);
  }
  earlier_.routes = std::move(routes);
  versions_.push_back({&config, &counters});
}

void ModuleCounters::fold(const CallCounters& counters) {
  const std::lock_guard lock(mutex_);
  const auto version = std::find_if(versions_.begin(), versions_.end(),
                                    [&](const Version& candidate) { return candidate.counters == &counters; });
  if (version == versions_.end()) return;  // it never went live
  add_up(*version, earlier_);
  versions_.erase(version);
}

ModuleTotals ModuleCounters::totals() const {
  const std::lock_guard lock(mutex_);
  ModuleTotals totals = earlier_;
  for (const Version& version : versions_) add_up(version, totals);
  return totals;
}

uint64_t ModuleCounters::calls() const {
  const std::lock_guard lock(mutex_);
  CallTotals totals = earlier_.calls;
  for (const Version& version : versions_) version.counters->add_to(totals);
  return totals.calls();
}

void ModuleCounters::add_up(const Version& version, ModuleTotals& totals) {
  version.counters->add_to(totals.calls);
  for (size_t i = 0; i < version.config->routes.size(); ++i) {
    const RouteConfig& route = version.config->routes[i];
    const auto told_of = totals.routes.find({route.method, route.path});
    if (told_of != totals.routes.end()) version.counters->add_answers_to(told_of->second, i);
  }
}

}  // namespace cweb::runtime
