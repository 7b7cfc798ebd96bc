// Makes what runs the same as what is in the directory of modules: everything at the start, and in development each
// file that is put there, edited or taken away by hand. The start on the main thread, then the watch's thread.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "mgnt/deployer.h"
#include "mgnt/fault_desk.h"
#include "runtime/registry.h"

namespace cweb::mgnt {

/// Not thread-safe but for stop(). Everything it was given outlives it; the deployer has a keeper.
class DirectorySync {
 public:
  DirectorySync(Deployer& deployer, runtime::Registry& registry, FaultDesk& faults)
      : deployer_(deployer), keeper_(*deployer.keeper()), registry_(registry), faults_(faults) {}

  /// Before the server accepts, and behind Deployer::restore(): the directory wins over the journal.
  void start(const Deployer::StartOptions& options);

  /// Looks at these files, which may have changed, and at those that stood back behind another's module or route.
  void look_at(const std::vector<std::string>& files);
  /// Looks at all files, those that were there too: after events were lost.
  void look_at_all();
  /// No further file is begun, from now on. Any thread.
  void stop() { is_stopped_ = true; }

 private:
  void remove_those_without_file();
  enum class Outcome { nothing, changed, failed };
  void look_at(const std::vector<std::string>& files, bool were_saved);
  Outcome look_at_one(const std::string& file, bool was_saved);
  Outcome gone(const std::string& file);
  Outcome deploy(const std::string& file, const std::string& source);
  void unreadable(const std::string& file, const store::FileError& error);
  void tell_failure(const std::string& file, const std::string& hash, const DeployReport& report);

  Deployer& deployer_;
  ModuleKeeper& keeper_;
  runtime::Registry& registry_;
  FaultDesk& faults_;
  std::atomic<bool> is_stopped_{false};
};

}  // namespace cweb::mgnt
