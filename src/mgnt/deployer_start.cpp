// The deployer's start from the files that modules are kept in: those whose object code is cached are linked, the
// others compiled, all side by side, and one table makes them live. Before the server accepts, so nothing else is under
// way.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "jit/facts_json.h"
#include "mgnt/crash_note.h"
#include "mgnt/deployer.h"
#include "mgnt/each.h"
#include "mgnt/module_name.h"
#include "store/digest.h"
#include "store/file_name.h"

namespace cweb::mgnt {
namespace {

using std::chrono::milliseconds;

void fail_with(DeployReport& report, int http_status, const char* stage, std::string message) {
  report.http_status = http_status;
  report.stage = stage;
  report.message = std::move(message);
}

}  // namespace

struct Deployer::Starting {
  StartFile* file = nullptr;
  std::string guessed_name;
  std::optional<jit::Compilation> compilation;
  bool was_cached = false;
  VersionPtr version;
  milliseconds time_left{0};
  std::optional<runtime::Registry::Claim> claim;
  Keeping keeping;
  bool is_live = false;
  bool is_settled = false;    // nothing has to be done
  bool is_for_later = false;  // by the way of every deploy, behind the others

  /// As far as it is known yet; may be empty.
  const std::string& name() const { return version ? version->config.name : guessed_name; }
  /// What the crash note says while its code runs. The name stands for an older version too, which runs already and
  /// must not be blamed.
  const std::string& culprit() const { return is_for_later || name().empty() ? file->file : name(); }
  bool is_left_out(const StartOptions& options) const {
    return !options.left_out.empty() && (options.left_out == name() || options.left_out == file->file);
  }
  void leave_out() {
    fail_with(file->report, 422, "start",
              "the server process died of this module when it started: it is left out until it is deployed or changed");
    file->report.name = name();
  }
};

void Deployer::start_from_files(std::vector<StartFile>& files, const StartOptions& options) {
  const Stopwatch watch;
  std::vector<Starting> modules(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    modules[i].file = &files[i];
    modules[i].guessed_name = guess_module_name(files[i].source);
    files[i].report.hash = store::sha256_hex(files[i].source);
  }
  for (Starting* const module : best_first(modules)) module->is_settled = is_settled(*module, options);
  const size_t threads = options.one_at_a_time ? 1 : most_start_threads;
  const auto begin = [&](const Starting& module) {
    if (options.one_at_a_time) write_crash_note(options.crash_note, module.culprit());
  };
  each<Starting>(modules, threads, [&](Starting& module) {
    begin(module);
    if (module.is_settled || module.is_for_later || load(module)) return;
    if (module.version) module.version->set_state(runtime::VersionState::failed);
    module.version = nullptr;
  });
  claim_and_prepare(modules, options);
  each<Starting>(modules, threads, [&](Starting& module) {
    begin(module);
    module.is_live = module.claim && run_onload(module.version, module.time_left, module.file->report);
  });
  if (options.one_at_a_time) write_crash_note(options.crash_note, {});
  publish_started(modules);
  for (const Starting& module : modules) {
    const DeployReport& report = module.file->report;
    if (!module.is_for_later && report.status == DeployReport::Status::failed) tell_failed(report);
  }
  size_t live = 0, cached = 0;
  for (const Starting& module : modules) {
    live += module.is_live ? 1 : 0;
    cached += module.is_live && module.was_cached ? 1 : 0;
  }
  if (!modules.empty()) {
    log::info("{} of {} files became live within {:.0f} ms, {} of them without compiling", live, modules.size(),
              watch.elapsed_ms(), cached);
  }
  for (Starting* const module : best_first(modules)) {
    if (!module->is_for_later) continue;
    begin(*module);
    deploy_later(*module);
  }
  if (options.one_at_a_time) write_crash_note(options.crash_note, {});
}

/// What was answered last comes first, then a file that is called as its module, then the others, in the order of their
/// names: a copy that somebody has put beside a module's file does not take its place.
std::vector<Deployer::Starting*> Deployer::best_first(std::vector<Starting>& modules) const {
  const auto rank = [&](const Starting& module) {
    if (module.name().empty()) return 3;
    const bool is_newest = options_.keeper->last_live(module.name()) == module.file->report.hash;
    return (is_newest ? 0 : 2) + (module.file->file == store::file_name(module.name()) ? 0 : 1);
  };
  std::vector<std::pair<int, Starting*>> ranked;
  for (Starting& module : modules) ranked.emplace_back(rank(module), &module);
  // Of the same rank those that stand first in `modules` do so here as well.
  std::sort(ranked.begin(), ranked.end());
  std::vector<Starting*> sorted;
  for (const auto& [_, module] : ranked) sorted.push_back(module);
  return sorted;
}

/// What takes the place of a version that runs, or of a file that could not be served.
void Deployer::deploy_later(Starting& module) {
  StartFile& file = *module.file;
  const std::string served = options_.keeper->file_of(module.name());
  if (served.empty() || served == file.file) {
    file.report = deploy({.code = file.source, .repaired = false, .file = file.file});
    return;
  }
  fail_with(file.report, 409, "keep",
            fmt::format("module {} is served from {}; {} is left alone", module.name(), served, file.file));
  file.report.name = module.name();
  tell_failed(file.report);
}

/// What is not loaded with the others: what runs already, from this source or another, and what must not run.
bool Deployer::is_settled(Starting& module, const StartOptions& options) const {
  DeployReport& report = module.file->report;
  if (const VersionPtr live = registry_.find_by_hash(report.hash)) {
    // Whatever became of it stays: a quarantined module does not run because its file is there.
    const auto kept = options_.keeper->keep(live->config.name, report.hash, module.file->source, module.file->file);
    if (kept) {
      report.status = DeployReport::Status::unchanged;
      report.http_status = 200;
    } else {
      fail_with(report, kept.error().http_status, "keep", kept.error().message);
    }
    report.name = live->config.name;
    return true;
  }
  if (module.is_left_out(options)) {
    module.leave_out();
    return true;
  }
  module.is_for_later = registry_.find(module.guessed_name).has_value();
  return false;
}

/// Everything up to the module's routes. The report says what fails.
bool Deployer::load(Starting& module) {
  StartFile& file = *module.file;
  DeployReport& report = file.report;
  report.name = module.guessed_name;
  const store::ObjectCache* const cache = options_.keeper->cache();
  if (auto cached = cache == nullptr ? std::nullopt : cache->find(report.hash)) {
    if (auto facts = jit::decode_facts(cached->facts)) {
      module.compilation.emplace(jit::Compilation{.object = std::move(cached->object), .facts = std::move(*facts)});
      module.was_cached = true;
    }
  }
  if (!module.compilation) module.compilation = compile(file.source, report);
  if (!module.compilation) return false;
  module.version = link(*module.compilation, file.source, report);
  if (!module.version) return false;
  runtime::ModuleVersion& version = *module.version;
  version.hash = report.hash;
  // Its name is known already, should the process die of a constructor.
  begin_loading(version, module.guessed_name);
  module.time_left = options_.load_deadline;
  if (!run_constructors(module.version, module.time_left, report)) return false;
  if (!read_configuration(version, report) || !check_routes(version, report)) return false;
  report.name = version.config.name;
  return true;
}

/// One after the other, the best first. Another file of the same module waits until that one has proved itself.
void Deployer::claim_and_prepare(std::vector<Starting>& modules, const StartOptions& options) {
  std::set<std::string> names;
  for (Starting* const module : best_first(modules)) {
    if (!module->version) continue;
    DeployReport& report = module->file->report;
    const std::string& name = module->name();
    if (module->is_left_out(options)) {
      module->leave_out();
      continue;
    }
    if (registry_.find(name) || names.contains(name)) {
      module->is_for_later = true;
      continue;
    }
    auto claimed = claim(module->version, report);
    if (!claimed || !prepare_to_keep(*module->version, module->file->file, module->keeping, report)) continue;
    module->claim.emplace(std::move(*claimed));
    names.insert(name);
  }
}

void Deployer::publish_started(std::vector<Starting>& modules) {
  std::vector<runtime::Registry::Claim> claims;
  for (Starting& module : modules) {
    module.is_live = module.is_live && keep_started(module);
    if (module.is_live) {
      claims.push_back(std::move(*module.claim));
    } else if (module.version) {
      module.version->set_state(runtime::VersionState::failed);
    }
    module.claim.reset();
  }
  registry_.publish_restored(std::move(claims));
  for (const Starting& module : modules) {
    if (!module.is_live) continue;
    note_in_journal(*module.version, *module.compilation);
    tell_deployed(*module.version);
    if (!module.was_cached) note_in_cache(*module.version, *module.compilation, {});
  }
}

/// Its number and time are those of its place in the history, where it was deployed before.
bool Deployer::keep_started(Starting& module) {
  runtime::ModuleVersion& version = *module.version;
  DeployReport& report = module.file->report;
  const auto kept = options_.keeper->commit(*module.keeping, version.source);
  if (!kept) {
    fail_with(report, kept.error().http_status, "keep", kept.error().message);
    return false;
  }
  version.number = kept->number == 0 ? 1 : static_cast<unsigned>(kept->number);
  version.deployed_at = kept->deployed_at.empty() ? utc_timestamp() : kept->deployed_at;
  report.status = DeployReport::Status::deployed;
  report.http_status = 200;
  return true;
}

}  // namespace cweb::mgnt
