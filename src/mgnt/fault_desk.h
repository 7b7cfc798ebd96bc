// What becomes of a fault: a report with source lines in the log and for whoever asks, and a fresh instance of the
// module, or none when it faults too often.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "mgnt/deployer.h"
#include "mgnt/fault_report.h"
#include "mgnt/module_observer.h"
#include "runtime/fault_sink.h"

namespace cweb::mgnt {

struct FaultDeskOptions {
  /// Who asked is told of no more than the report's id: it is in the log.
  bool production = false;
  /// More faults than this within ten seconds, and the module is quarantined. 0: never.
  unsigned most_faults = 5;
  /// Who is told of faults, and of modules that are quarantined. Null: nobody. Outlives the desk.
  ModuleObserver* observer = nullptr;
};

/// Thread-safe. Everything it was given outlives it.
class FaultDesk final : public runtime::FaultSink {
 public:
  FaultDesk(Deployer& deployer, runtime::Registry& registry, FaultDeskOptions options);

  runtime::FaultAnswer took_place(const std::shared_ptr<runtime::ModuleVersion>& version,
                                  const runtime::FaultRecord& fault, const runtime::FaultContext& context) override;

  /// Of one module, the newest first; at most 20.
  std::vector<FaultReport> reports(const std::string& module) const;
  /// Of all modules, the newest first; at most 20 each.
  std::vector<FaultReport> reports() const;
  /// Since the server started.
  uint64_t count(const std::string& module) const;

  /// Forgets what it knows of the module's last seconds: it was deployed or restarted by a person.
  void begin_anew(const std::string& module);

 private:
  struct History {
    std::deque<FaultReport> reports;  // the newest first
    std::deque<int64_t> recent_ms;    // of faults that count towards a quarantine: those of
    unsigned version = 0;             // this version
    uint64_t count = 0;
  };
  FaultReport describe(const runtime::ModuleVersion& version, const runtime::FaultRecord& fault,
                       const runtime::FaultContext& context);
  bool is_too_often(const runtime::ModuleVersion& version);
  struct FollowUp {
    std::string consequence;   // as a sentence
    bool quarantined = false;  // by this fault
  };
  FollowUp follow_up(const std::shared_ptr<runtime::ModuleVersion>& version);
  void tell(const runtime::ModuleVersion& version, const FaultReport& report, const runtime::FaultRecord& fault,
            const FollowUp& follow_up) const;
  void keep(FaultReport& report);
  runtime::FaultAnswer answer(const FaultReport& report, const runtime::FaultRecord& fault,
                              const std::string& accept) const;

  Deployer& deployer_;
  runtime::Registry& registry_;
  const FaultDeskOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, History> histories_;  // guarded by mutex_
};

}  // namespace cweb::mgnt
