// Which modules there are, which version of each is live, and who owns which route. The only writer of the published
// route table.
#pragma once

#include <atomic>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/module_version.h"
#include "runtime/route_table.h"

namespace cweb::runtime {

class Retirer;

/// A route or socket path that another module owns.
struct Conflict {
  std::string what;   ///< "GET /counter" or "WebSocket /chat"
  std::string owner;  ///< name of the module that owns it
  SourcePosition position;  ///< of the row in the refused source
};

/// What a person can know of a module.
struct ModuleStatus {
  std::shared_ptr<ModuleVersion> live;
  size_t draining = 0;  ///< older versions that calls are still inside of, or whose unload runs
  uint64_t calls = 0;   ///< of all versions since the first deploy
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
    /// Literals of this version that a pattern of another module covers, or the other way round: one sentence each.
    const std::vector<std::string>& warnings() const { return warnings_; }

   private:
    friend class Registry;
    Claim(Registry& registry, std::string name) : registry_(&registry), name_(std::move(name)) {}
    Registry* registry_;
    std::string name_;
    std::vector<std::string> warnings_;
  };

  /// Reserves the routes of `version` under its name, against live modules and other claims. One claim a name at a time
  /// (the caller keeps deploys of one name in order).
  std::expected<Claim, Conflict> claim(const std::shared_ptr<ModuleVersion>& version);

  /// Makes the claimed version live. When this returns no new request runs the old one, which drains and is unloaded in
  /// the background. Sets version->number and deployed_at.
  void publish(Claim claim);

  /// Takes the module's routes away; false when there is none of that name.
  bool remove(std::string_view name);

  /// Removes every module. For shutdown.
  void remove_all();

  std::vector<ModuleStatus> list() const;                          ///< sorted by name
  std::optional<ModuleStatus> find(std::string_view name) const;
  /// The live version whose source has this hash, or null.
  std::shared_ptr<ModuleVersion> find_by_hash(std::string_view hash) const;
  size_t live_versions() const;

  /// The table that requests are routed by now. Loop threads only: valid until the loop says it has passed
  /// (LoopGate::pass).
  const RouteTable* table() const { return table_.load(std::memory_order_acquire); }

 private:
  struct Module;
  struct State;
  void republish_locked();

  mutable std::mutex mutex_;
  std::unique_ptr<State> state_;
  std::atomic<const RouteTable*> table_;
  Retirer& retirer_;
};

}  // namespace cweb::runtime
