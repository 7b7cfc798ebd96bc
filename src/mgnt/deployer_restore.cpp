// The deployer's way back: from the journal's records to live modules, in a process that takes the place of one that
// died. Nothing is compiled. Before the server accepts, so no deploy and no request is under way.
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
  bool is_live = false;

  bool is_quarantined() const { return entry.deaths >= deaths_to_quarantine; }
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
  // One after the other: patterns of different modules are matched in the order in which the modules came.
  for (Restoring& module : modules) {
    if (!module.version) continue;
    if (auto claimed = claim(module.version, module.report)) module.claim.emplace(std::move(*claimed));
  }
  each<Restoring>(modules, threads, [&](Restoring& module) {
    begin(module);
    module.is_live = module.claim && start(module);
  });
  if (options.one_at_a_time) write_crash_note(options.crash_note, {});

  Restoration done;
  std::vector<runtime::Registry::Claim> claims;
  for (Restoring& module : modules) {
    if (module.is_live) {
      claims.push_back(std::move(*module.claim));
      continue;
    }
    if (module.version) module.version->set_state(runtime::VersionState::failed);
    ++done.failed;
    log::error("module {} could not be brought back: {}: {}", module.entry.name, module.report.stage,
               module.report.message);
  }
  done.modules = claims.size();
  registry_.publish_restored(std::move(claims));
  log::info("{} modules are live again after {:.0f} ms", done.modules, watch.elapsed_ms());
  return done;
}

/// Links the module and reads its configuration.
bool Deployer::load(Restoring& module) {
  const auto failed = [&](std::string why) {
    module.report.stage = "journal";
    module.report.message = std::move(why);
    return false;
  };
  auto record = options_.journal->read(module.entry.name);
  if (!record) return failed("its record cannot be read");
  auto facts = jit::decode_facts(record->facts);
  if (!facts) return failed(facts.error().message);
  const jit::Compilation compilation{.object = std::move(record->object), .facts = std::move(*facts)};
  module.version = link(compilation, record->source, module.report);
  if (!module.version) return false;
  runtime::ModuleVersion& version = *module.version;
  version.number = record->number;
  version.deployed_at = record->deployed_at;
  version.hash = record->hash;
  version.set_state(runtime::VersionState::loading);
  // Known already, should the process die of a constructor.
  version.config.name = module.entry.name;
  module.time_left = options_.load_deadline;
  if (!module.is_quarantined() && !run_constructors(module.version, module.time_left, module.report)) return false;
  if (!read_configuration(version, module.report) || !check_routes(version, module.report)) return false;
  if (module.is_quarantined()) {
    // Of its code nothing has run and nothing shall.
    version.config.unload = nullptr;
    version.config.websockets.clear();
  }
  return version.config.name == module.entry.name || failed("it has another name than it had");
}

/// The last step before it is live.
bool Deployer::start(Restoring& module) {
  if (!module.is_quarantined()) return run_onload(module.version, module.time_left, module.report);
  runtime::ModuleVersion& version = *module.version;
  version.quarantined = true;
  log::error(
      "module {} is quarantined: the server process has died {} times in its calls. It answers 503 until its next "
      "deploy",
      module.entry.name, module.entry.deaths);
  return true;
}

}  // namespace cweb::mgnt
