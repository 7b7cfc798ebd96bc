// Which modules there are, which version of each is live, and who owns which route. The only writer of the published
// route table.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/module_version.h"
#include "runtime/route_claims.h"
#include "runtime/route_table.h"

namespace cweb::runtime {

class Retirer;

/// What a person can know of a module.
struct ModuleStatus {
  std::shared_ptr<ModuleVersion> live;
  size_t draining = 0;  ///< older versions that calls are still inside of, or whose unload runs
  int threads = 0;      ///< that the module has started itself, of all versions
  uint64_t calls = 0;   ///< that returned, of all versions since the first deploy
  std::shared_ptr<const ModuleCounters> counters;
};

/// Thread-safe.
class Registry {
 public:
  explicit Registry(Retirer& retirer);
  ~Registry();

  /// Holds the routes of a version that is about to go live; gives them back when it is destroyed unpublished.
  class Claim {
   public:
    Claim(Claim&&) noexcept;
    Claim& operator=(Claim&&) = delete;
    ~Claim();
    /// Routes that are shadowed, or that meet another module's patterns: one sentence each.
    const std::vector<std::string>& warnings() const { return warnings_; }

   private:
    friend class Registry;
    Claim(Registry& registry, std::shared_ptr<ModuleVersion> version)
        : registry_(&registry), version_(std::move(version)) {}
    Registry* registry_;  // null when moved from or published
    std::shared_ptr<ModuleVersion> version_;
    std::vector<std::string> warnings_;
  };

  /// Reserves the routes of `version` under its name, against live modules and other claims. One claim a name at a time
  /// (the caller keeps deploys of one name in order).
  std::expected<Claim, Conflict> claim(const std::shared_ptr<ModuleVersion>& version);

  /// Makes the claimed version live. When this returns no new request runs the old one, which drains and is unloaded in
  /// the background. Sets version->number and deployed_at.
  void publish(Claim claim);

  /// The same for a fresh instance of the live version, which keeps the version's number: false, with nothing changed,
  /// when `replaced` is not live any more.
  bool publish_restarted(Claim claim, const ModuleVersion& replaced);

  /// From here on calls of the module are refused, until a version of it is published. `reason` is for people.
  /// False: it was so before, or another version has come.
  bool quarantine(const ModuleVersion& version, std::string reason = "it has faulted too often");

  /// Makes versions live that another process had: `number` and `deployed_at` are set by the caller. One table for all.
  void publish_restored(std::vector<Claim> claims);

  /// Takes the module's routes away; false when there is none of that name.
  bool remove(std::string_view name);

  /// Removes every module. For shutdown.
  void remove_all();

  /// What the versions of a name have in common before and after they are claimed.
  std::shared_ptr<ThreadShare> threads_of(const std::string& name) { return thread_shares_.of(name); }

  std::vector<ModuleStatus> list() const;  ///< sorted by name
  std::optional<ModuleStatus> find(std::string_view name) const;
  /// The live version whose source has this hash, or null.
  std::shared_ptr<ModuleVersion> find_by_hash(std::string_view hash) const;
  size_t live_versions() const;

  /// The table that requests are routed by now. Loop threads only: valid until the loop says it has passed
  /// (LoopGate::pass).
  const RouteTable* table() const { return table_.load(std::memory_order_acquire); }
  /// Counts the published tables. A loop that reads this and then table() gets a table at least as new.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  /// A module by name. Kept while it has a live version or a claim.
  struct Module {
    std::string name;
    std::shared_ptr<ModuleVersion> live;
    std::shared_ptr<ModuleVersion> claimed;
    unsigned versions = 0;
    const std::shared_ptr<ModuleCounters> counters = std::make_shared<ModuleCounters>();
  };
  Module* find_locked(std::string_view name) const;
  Module& find_or_add_locked(const std::string& name);
  void drop_if_empty_locked(Module& module);
  void go_live_locked(Module& module, Claim& claim);
  void republish_locked(std::vector<std::shared_ptr<ModuleVersion>> leaving);
  ModuleStatus status_locked(const Module& module) const;
  void release(const Claim& claim);

  ThreadShares thread_shares_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Module>> modules_;  // guarded by mutex_; in the order of their first coming
  std::unique_ptr<const RouteTable> current_;     // guarded by mutex_
  std::atomic<const RouteTable*> table_;
  std::atomic<uint64_t> generation_{1};
  Retirer& retirer_;
};

}  // namespace cweb::runtime
