// The way from source to live routes: compile, link, check, load, publish, in this order and all or nothing. Blocks its
// caller, a management worker; several deploys run at once. Knows nothing of HTTP but the status codes it suggests.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jit/compiler.h"
#include "jit/linker.h"
#include "mgnt/deploy_counts.h"
#include "mgnt/deploy_lanes.h"
#include "mgnt/deploy_report.h"
#include "mgnt/module_keeper.h"
#include "mgnt/module_observer.h"
#include "mgnt/posted_source.h"
#include "runtime/invoke.h"
#include "runtime/runtime.h"
#include "supervisor/deploy_journal.h"

namespace cweb::mgnt {

struct DeployerOptions {
  /// For constructors and onload together.
  std::chrono::milliseconds load_deadline{10'000};
  /// Each version costs about three mappings, and the kernel allows a process 65,530.
  size_t max_live_versions = 15'000;
  /// Of a call of a module that does not ask for another.
  std::chrono::milliseconds call_deadline{10'000};
  /// Bytes that one version of a module may have allocated at a time.
  size_t module_memory = runtime::ModuleHeap::default_limit;
  /// Where deploys are noted for the process that may have to replace this one. Null: nowhere. Outlives the deployer.
  supervisor::DeployJournal* journal = nullptr;
  /// Where modules are kept. Null: nowhere. Outlives the deployer.
  ModuleKeeper* keeper = nullptr;
  /// Who is told what becomes of modules. Null: nobody. Outlives the deployer.
  ModuleObserver* observer = nullptr;
};

/// Thread-safe. Everything it was given outlives it.
class Deployer {
 public:
  Deployer(jit::Compiler& compiler, jit::Linker& linker, runtime::Runtime& runtime, DeployerOptions options = {});

  DeployReport deploy(const PostedSource& posted);

  /// Everything that can be known without running code of the module. Changes nothing.
  DeployReport check(const PostedSource& posted);

  struct RestoreOptions {
    /// After a start that failed: a module at a time, and while its code runs its name stands in `crash_note`, so that
    /// the one that the process dies of is known next time. That is how a module is found that the kernel kills for.
    bool one_at_a_time = false;
    int crash_note = -1;
  };
  struct Restoration {
    size_t modules = 0;      ///< that are live again
    size_t quarantined = 0;  ///< of these, that answer 503
    size_t failed = 0;       ///< that are not; the log says why
  };
  /// Makes live what the journal holds, before there are requests: each with the number and time of its deploy, in
  /// their order. A module in whose calls the process has died more than once comes back quarantined, and none of its
  /// code runs; so does one of which a constructor or `onload` fails. One that does not link stays away, and in the
  /// journal: the next process tries it again. Blocks until the last `onload` has returned or is overdue.
  Restoration restore(const RestoreOptions& options);

  /// A file of the modules' directory, and what became of it.
  struct StartFile {
    std::string file, source;
    DeployReport report = {};
  };
  struct StartOptions {
    bool one_at_a_time = false;  ///< as in RestoreOptions, with the same note
    int crash_note = -1;
    std::string left_out;  ///< the module, or the file, that the process before died of when it started; may be empty
  };
  /// Makes live what is in the files. Of two with one name or route that has it which was deployed last, else which is
  /// called as its module, else the first of the order given. Compiles what is not in the cache, on several threads,
  /// and publishes all with one table. Before there are requests, and behind restore(): what runs already from the same
  /// source goes on.
  void start_from_files(std::vector<StartFile>& files, const StartOptions& options);

  ModuleKeeper* keeper() const { return options_.keeper; }

  /// Since the server started.
  DeployCounts counts() const { return counter_.counts(); }
  const jit::Compiler& compiler() const { return compiler_; }

  struct Restart {
    enum class Result {
      restarted,
      under_way,  ///< a deploy of the module is; the restart follows it, if it is needed still
      not_live,   ///< another version or nobody has its routes by now
      failed,     ///< the version stays; `report` says why
    };
    Result result = Result::not_live;
    DeployReport report;  ///< of `restarted` and `failed`
  };
  enum class RestartBy {
    fault,  ///< the fault desk's; its fault is what is told
    call,   ///< a person's: the observer is told, in order with what else befalls the name
  };
  /// Puts a fresh instance of a live version in its place: statics as at its deploy, onload run. Its number stays.
  Restart restart(const std::shared_ptr<runtime::ModuleVersion>& version, RestartBy by);

  /// A person has restarted the module: the next process does not quarantine it for what it did before.
  void forgive(const std::string& name) const;

  struct Removal {
    enum class Result {
      removed,
      no_such_module,
      superseded,
      not_kept,  ///< its file cannot be removed, so it stays: `failure` says why
    };
    Result result = Result::no_such_module;
    KeepFailure failure;
    std::optional<ModuleSummary> module;  ///< what was removed; empty when it was not live, but would have come back
  };
  /// Takes the module away, behind the deploys of its name that came before; out of the journal and off the disk too,
  /// live or not.
  Removal remove(const std::string& name);
  /// The same, but only if by then the module is still served from that file, and the file is not there again.
  Removal remove_with_file(const std::string& name, const std::string& gone_file);
  /// The same, but only if by then no file serves the module: somebody may have deployed it anew.
  Removal remove_without_file(const std::string& name);

 private:
  using VersionPtr = std::shared_ptr<runtime::ModuleVersion>;

  Removal remove_if(const std::string& name, const std::function<bool()>& is_wanted);
  Restart restart_now(DeployLanes::Ticket ticket, const VersionPtr& version, RestartBy by);

  // Each step fills in the report and says whether to go on.
  void run_deploy(const PostedSource& posted, DeployReport& report);
  void run_check(const PostedSource& posted, DeployReport& report);
  bool say_if_unchanged(const PostedSource& posted, DeployLanes::Ticket& ticket, DeployReport& report) const;
  std::optional<jit::Compilation> compile(const std::string& source, DeployReport& report);
  VersionPtr link(const jit::Compilation& compilation, const std::string& source, DeployReport& report);
  bool read_configuration(runtime::ModuleVersion& version, DeployReport& report) const;
  bool check_routes(runtime::ModuleVersion& version, DeployReport& report) const;
  std::optional<runtime::Registry::Claim> claim(const VersionPtr& version, DeployReport& report);
  void begin_loading(runtime::ModuleVersion& version, const std::string& name);
  bool run_constructors(const VersionPtr& version, std::chrono::milliseconds& time_left, DeployReport& report);
  bool run_onload(const VersionPtr& version, std::chrono::milliseconds time_left, DeployReport& report);
  bool call(const VersionPtr& version, runtime::LoadFunction function, const char* what,
            std::chrono::milliseconds time_left, DeployReport& report);

  // deployer_keep
  using Keeping = std::optional<ModuleKeeper::Intent>;  // empty: nothing is kept
  bool prepare_to_keep(const runtime::ModuleVersion& version, const std::string& file, Keeping& keeping,
                       DeployReport& report) const;
  bool keep(const VersionPtr& version, const Keeping& keeping, DeployReport& report);
  void note_in_cache(const runtime::ModuleVersion& version, const jit::Compilation& compilation,
                     const std::string& replaced_hash) const;
  struct Starting;
  bool is_settled(Starting& module, const StartOptions& options) const;
  std::vector<Starting*> best_first(std::vector<Starting>& modules) const;
  void deploy_later(Starting& module);
  bool load(Starting& module);
  void claim_and_prepare(std::vector<Starting>& modules, const StartOptions& options);
  void publish_started(std::vector<Starting>& modules);
  bool keep_started(Starting& module);

  void note_in_journal(const runtime::ModuleVersion& version, const jit::Compilation& compilation) const;
  struct Restoring;
  bool load(Restoring& module);
  VersionPtr link_again(const supervisor::DeployRecord& record, const jit::Compilation& compilation,
                        DeployReport& report);
  void read_quarantined_configuration(Restoring& module) const;
  void start(Restoring& module);
  static void quarantine(Restoring& module);
  void tell_restored(const Restoring& module) const;
  void finish(const std::string& guessed_name, DeployReport& report) const;
  void tell_deployed(const runtime::ModuleVersion& version) const;
  void tell_failed(const DeployReport& report) const;

  jit::Compiler& compiler_;
  jit::Linker& linker_;
  runtime::Runtime& runtime_;
  runtime::Registry& registry_;
  const DeployerOptions options_;
  DeployLanes lanes_;
  std::atomic<uint64_t> last_version_id_{0};
  DeployCounter counter_;
};

}  // namespace cweb::mgnt
