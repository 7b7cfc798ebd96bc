// Who is told of what becomes of modules. The deployer, the fault desk and the management calls tell; the event log
// listens.
#pragma once

#include <string>

#include "mgnt/deploy_report.h"
#include "mgnt/fault_report.h"

namespace cweb::mgnt {

/// Called on any thread, several at a time, and where a module's deploys are in order: must not wait for a deploy.
class ModuleObserver {
 public:
  virtual ~ModuleObserver() = default;

  /// A version went live: by a call, from a file, or brought back at the start.
  virtual void deployed(const std::string& module, unsigned version) = 0;
  virtual void deploy_failed(const DeployReport& report) = 0;
  /// By a call; what follows a fault is told with the fault.
  virtual void restarted(const std::string& module, unsigned version) = 0;
  /// `version` is 0 when none was live.
  virtual void removed(const std::string& module, unsigned version) = 0;
  /// `kind`: "deadline", "stopped" (exit, abort and their like), or the signal's name.
  virtual void faulted(const FaultReport& report, const std::string& kind) = 0;
  virtual void quarantined(const std::string& module, unsigned version, const std::string& reason) = 0;
};

}  // namespace cweb::mgnt
