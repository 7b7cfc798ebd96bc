// The deployer's way back: from the journal's records to live modules, in a process that takes the place of one that
// died. Nothing is compiled. Before the server accepts, so no deploy and no request is under way.
#include <fmt/format.h>

#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "jit/facts_json.h"
#include "mgnt/crash_note.h"
#include "mgnt/deployer.h"
#include "mgnt/each.h"

namespace cweb::mgnt {
namespace {

using std::chrono::milliseconds;

/// The first death may be an accident.
constexpr unsigned deaths_to_quarantine = 2;

}  // namespace

struct Deployer::Restoring {
  supervisor::DeployJournal::Entry entry;
  VersionPtr version;
  DeployReport report;  // says what fails
  milliseconds time_left{0};
  std::optional<runtime::Registry::Claim> claim;

  bool has_killed() const { return entry.deaths >= deaths_to_quarantine; }
};

Deployer::Restoration Deployer::restore(const RestoreOptions& options) {
  const Stopwatch watch;
  std::vector<Restoring> modules;
  for (auto& entry : options_.journal->modules()) {
    modules.push_back({.entry = std::move(entry), .version = {}, .report = {}, .claim = {}});
  }
  if (modules.empty()) return {};
  const size_t threads = options.one_at_a_time ? 1 : most_start_threads;
  const auto begin = [&](const Restoring& module) {
    if (options.one_at_a_time) write_crash_note(options.crash_note, module.entry.name);
  };
  each<Restoring>(modules, threads, [&](Restoring& module) {
    begin(module);
    if (!load(module)) module.version = nullptr;
  });
  // A module at a time: patterns of different modules are matched in the order in which the modules came.
  for (Restoring& module : modules) {
    if (!module.version) continue;
    if (auto claimed = claim(module.version, module.report)) module.claim.emplace(std::move(*claimed));
  }
  each<Restoring>(modules, threads, [&](Restoring& module) {
    begin(module);
    if (module.claim) start(module);
  });
  if (options.one_at_a_time) write_crash_note(options.crash_note, {});

  Restoration done;
  std::vector<runtime::Registry::Claim> claims;
  for (Restoring& module : modules) {
    if (module.claim) {
      done.quarantined += module.version->quarantined ? 1 : 0;
      claims.push_back(std::move(*module.claim));
      continue;
    }
    if (module.version) module.version->set_state(runtime::VersionState::failed);
    ++done.failed;
    log::error("module {} could not be brought back: {}: {}. A deploy of it brings it back, or the next process",
               module.entry.name, module.report.stage, module.report.message);
  }
  done.modules = claims.size();
  registry_.publish_restored(std::move(claims));
  for (const Restoring& module : modules) tell_restored(module);
  log::info("{} modules are live again after {:.0f} ms, {} of them quarantined", done.modules, watch.elapsed_ms(),
            done.quarantined);
  return done;
}

/// Links the module and reads its configuration. One that must not run, or whose constructors fail, is quarantined.
bool Deployer::load(Restoring& module) {
  const auto failed = [&](std::string why) {
    module.report.stage = "journal";
    module.report.message = std::move(why);
    return false;
  };
  const auto record = options_.journal->read(module.entry.name);
  if (!record) return failed("its record cannot be read");
  auto facts = jit::decode_facts(record->facts);
  if (!facts) return failed(facts.error().message);
  const jit::Compilation compilation{.object = record->object, .facts = std::move(*facts)};
  module.version = link_again(*record, compilation, module.report);
  if (!module.version) return false;
  module.time_left = options_.load_deadline;
  const auto make_ready = [&] {
    if (!run_constructors(module.version, module.time_left, module.report)) return false;
    if (!read_configuration(*module.version, module.report)) return false;
    if (!check_routes(*module.version, module.report)) return false;
    return module.version->config.name == module.entry.name || failed("it has another name than it had");
  };
  if (module.has_killed()) {
    module.report.message = fmt::format("the server process has died {} times in its calls", module.entry.deaths);
  } else if (make_ready()) {
    return true;
  } else {
    // What has begun to run may run still, and is not what is shown.
    module.version->set_state(runtime::VersionState::failed);
    module.version = link_again(*record, compilation, module.report);
    if (!module.version) return false;
  }
  quarantine(module);
  read_quarantined_configuration(module);
  return true;
}

Deployer::VersionPtr Deployer::link_again(const supervisor::DeployRecord& record, const jit::Compilation& compilation,
                                          DeployReport& report) {
  VersionPtr version = link(compilation, record.source, report);
  if (!version) return nullptr;
  version->number = record.number;
  version->deployed_at = record.deployed_at;
  version->hash = record.hash;
  // Its name is known already, should the process die of a constructor.
  begin_loading(*version, record.name);
  return version;
}

/// Without its constructors. Where the configuration is their work the module has no routes: it can be seen, restarted
/// and removed all the same.
void Deployer::read_quarantined_configuration(Restoring& module) const {
  runtime::ModuleVersion& version = *module.version;
  DeployReport unread;
  if (!read_configuration(version, unread) || !check_routes(version, unread) ||
      version.config.name != module.entry.name) {
    version.config = {};
    version.config.name = module.entry.name;
  }
  version.config.unload = nullptr;  // of what was never loaded
}

/// The last step before it is live.
void Deployer::start(Restoring& module) {
  if (module.version->quarantined || run_onload(module.version, module.time_left, module.report)) return;
  module.version->config.unload = nullptr;
  quarantine(module);
}

void Deployer::tell_restored(const Restoring& module) const {
  if (!module.claim) {
    DeployReport report = module.report;
    report.name = module.entry.name;
    return tell_failed(report);
  }
  const runtime::ModuleVersion& version = *module.version;
  tell_deployed(version);
  if (!version.quarantined || options_.observer == nullptr) return;
  options_.observer->quarantined(version.config.name, version.number, version.quarantine_reason);
}

/// While nobody else knows the version. The report's message is the reason.
void Deployer::quarantine(Restoring& module) {
  log::error("module {} is quarantined: {}. It answers 503 until its next deploy or restart", module.entry.name,
             module.report.message);
  module.version->quarantine_reason = module.report.message;
  module.version->quarantined = true;
}

}  // namespace cweb::mgnt
