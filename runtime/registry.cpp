#include "runtime/registry.h"

#include <algorithm>

#include "base/clock.h"
#include "runtime/retirer.h"

namespace cweb::runtime {

Registry::Claim::Claim(Claim&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)),
      version_(std::move(other.version_)),
      warnings_(std::move(other.warnings_)) {}

Registry::Claim::~Claim() {
  if (registry_) registry_->release(*this);
}

Registry::Registry(Retirer& retirer) : current_(RouteTable::build({})), table_(current_.get()), retirer_(retirer) {}

Registry::~Registry() = default;

std::expected<Registry::Claim, Conflict> Registry::claim(const std::shared_ptr<ModuleVersion>& version) {
  const ModuleConfig& config = version->config;
  Claim claim(*this, version);
  claim.warnings_ = shadowed_rows(config);
  const std::lock_guard lock(mutex_);
  const auto refuse = [&](Conflict conflict) {
    claim.registry_ = nullptr;
    return std::unexpected(std::move(conflict));
  };
  for (const auto& other : modules_) {
    if (other->name == config.name) continue;
    for (const auto& theirs : {other->live, other->claimed}) {
      if (!theirs) continue;
      if (auto conflict = find_conflict(config, theirs->config)) return refuse(std::move(*conflict));
    }
    if (!other->live) continue;
    for (std::string& sentence : overlaps(config, other->live->config)) claim.warnings_.push_back(std::move(sentence));
  }
  Module& module = find_or_add_locked(config.name);
  CWEB_ASSERT(!module.claimed);
  version->route_states = std::make_unique<RouteState[]>(config.routes.size());
  version->socket_states = std::make_unique<RouteState[]>(3 * config.websockets.size());
  version->counters = std::make_unique<CallCounters>(config.routes.size());
  version->module_counters = module.counters;
  version->threads = thread_shares_.of(config.name);
  module.claimed = version;
  return claim;
}

void Registry::publish(Claim claim) {
  const std::lock_guard lock(mutex_);
  Module& module = *find_locked(claim.version_->config.name);
  claim.version_->number = ++module.versions;
  claim.version_->deployed_at = utc_timestamp();
  go_live_locked(module, claim);
}

bool Registry::publish_restarted(Claim claim, const ModuleVersion& replaced) {
  const std::lock_guard lock(mutex_);
  Module& module = *find_locked(claim.version_->config.name);
  if (module.live.get() != &replaced) return false;
  claim.version_->number = replaced.number;
  claim.version_->deployed_at = replaced.deployed_at;
  go_live_locked(module, claim);
  return true;
}

bool Registry::quarantine(const ModuleVersion& version, std::string reason) {
  const std::lock_guard lock(mutex_);
  const Module* const module = find_locked(version.config.name);
  // Another version may have come meanwhile.
  if (module == nullptr || module->live.get() != &version || version.quarantined) return false;
  module->live->quarantine_reason = std::move(reason);
  module->live->quarantined = true;
  return true;
}

void Registry::go_live_locked(Module& module, Claim& claim) {
  CWEB_ASSERT(module.claimed == claim.version_);
  std::vector<std::shared_ptr<ModuleVersion>> leaving;
  if (module.live) leaving.push_back(std::move(module.live));
  module.live = std::move(module.claimed);
  module.claimed = nullptr;
  module.live->set_state(VersionState::live);
  module.counters->add(module.live->config, *module.live->counters);
  claim.registry_ = nullptr;
  republish_locked(std::move(leaving));
}

void Registry::publish_restored(std::vector<Claim> claims) {
  const std::lock_guard lock(mutex_);
  for (Claim& claim : claims) {
    Module& module = *find_locked(claim.version_->config.name);
    CWEB_ASSERT(module.claimed == claim.version_ && !module.live);
    module.live = std::move(module.claimed);
    module.claimed = nullptr;
    module.versions = module.live->number;
    module.live->set_state(VersionState::live);
    module.counters->add(module.live->config, *module.live->counters);
    claim.registry_ = nullptr;
  }
  republish_locked({});
}

bool Registry::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  Module* module = find_locked(name);
  if (!module || !module->live) return false;
  std::vector<std::shared_ptr<ModuleVersion>> leaving;
  leaving.push_back(std::move(module->live));
  module->live = nullptr;
  drop_if_empty_locked(*module);
  republish_locked(std::move(leaving));
  return true;
}

void Registry::remove_all() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<ModuleVersion>> leaving;
  for (const auto& module : modules_) {
    if (module->live) leaving.push_back(std::move(module->live));
    module->live = nullptr;
  }
  std::erase_if(modules_, [](const auto& module) { return !module->claimed; });
  republish_locked(std::move(leaving));
}

std::vector<ModuleStatus> Registry::list() const {
  std::vector<ModuleStatus> statuses;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& module : modules_) {
      if (module->live) statuses.push_back(status_locked(*module));
    }
  }
  std::sort(statuses.begin(), statuses.end(), [](const ModuleStatus& left, const ModuleStatus& right) {
    return left.live->config.name < right.live->config.name;
  });
  return statuses;
}

std::optional<ModuleStatus> Registry::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const Module* module = find_locked(name);
  if (!module || !module->live) return std::nullopt;
  return status_locked(*module);
}

std::shared_ptr<ModuleVersion> Registry::find_by_hash(std::string_view hash) const {
  const std::lock_guard lock(mutex_);
  for (const auto& module : modules_) {
    if (module->live && module->live->hash == hash) return module->live;
  }
  return nullptr;
}

size_t Registry::live_versions() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(modules_.begin(), modules_.end(), [](const auto& module) { return module->live != nullptr; }));
}

Registry::Module* Registry::find_locked(std::string_view name) const {
  const auto found =
      std::find_if(modules_.begin(), modules_.end(), [&](const auto& module) { return module->name == name; });
  return found == modules_.end() ? nullptr : found->get();
}

Registry::Module& Registry::find_or_add_locked(const std::string& name) {
  if (Module* module = find_locked(name)) return *module;
  modules_.push_back(std::make_unique<Module>());
  modules_.back()->name = name;
  return *modules_.back();
}

void Registry::drop_if_empty_locked(Module& module) {
  if (module.live || module.claimed) return;
  std::erase_if(modules_, [&](const auto& candidate) { return candidate.get() == &module; });
}

void Registry::republish_locked(std::vector<std::shared_ptr<ModuleVersion>> leaving) {
  std::vector<std::shared_ptr<ModuleVersion>> live;
  for (const auto& module : modules_) {
    if (module->live) live.push_back(module->live);
  }
  auto next = RouteTable::build(std::move(live));
  // The table first: a loop that sees the new generation sees the new table.
  table_.store(next.get(), std::memory_order_release);
  const uint64_t generation = generation_.load(std::memory_order_relaxed) + 1;
  generation_.store(generation, std::memory_order_release);
  retirer_.retire(generation, std::exchange(current_, std::move(next)), std::move(leaving));
}

ModuleStatus Registry::status_locked(const Module& module) const {
  const Retirer::Draining draining = retirer_.draining(module.name);
  return {.live = module.live,
          .draining = draining.versions,
          .threads = draining.threads + (module.live ? module.live->own_threads.load() : 0),
          .calls = module.counters->calls(),
          .counters = module.counters};
}

void Registry::release(const Claim& claim) {
  const std::lock_guard lock(mutex_);
  Module* module = find_locked(claim.version_->config.name);
  CWEB_ASSERT(module && module->claimed == claim.version_);
  module->claimed = nullptr;
  drop_if_empty_locked(*module);
}

}  // namespace cweb::runtime
