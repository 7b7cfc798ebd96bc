#include "mgnt/deployer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "jit/facts_json.h"
#include "jit/source_excerpt.h"
#include "mgnt/module_name.h"
#include "mgnt/route_check.h"
#include "runtime/code_map.h"
#include "runtime/fault_sink.h"
#include "store/digest.h"

namespace cweb::mgnt {
namespace {

using runtime::ModuleConfig;
using runtime::ModuleVersion;
using std::chrono::milliseconds;

/// Notes why the deploy ends here. `position` is where in the source, if it is about a place.
void fail_at(DeployReport& report, int http_status, const char* stage, std::string message,
             const ModuleVersion& version, SourcePosition position) {
  report.diagnostics.push_back(jit::error_at(position, message));
  report.rendered += jit::rendered_in_source(report.diagnostics.back(), version.source);
  report.http_status = http_status;
  report.stage = stage;
  report.message = std::move(message);
}

bool stop(DeployReport& report, int http_status, const char* stage, std::string message) {
  report.http_status = http_status;
  report.stage = stage;
  report.message = std::move(message);
  return false;
}

void succeed(DeployReport& report, DeployReport::Status status, const ModuleVersion& version) {
  report.status = status;
  report.http_status = 200;
  report.module = summarize(version);
}

/// A text in the history of one module may name another, which nobody asked to change.
bool is_expected_module(const PostedSource& posted, const std::string& name, DeployReport& report) {
  if (posted.module.empty() || posted.module == name) return true;
  return stop(report, 409, "config",
              fmt::format("this version holds module {}, not {}: post its source to deploy it", name, posted.module));
}

/// Of a version that has just gone live.
void tell_of_stuck_calls(const ModuleVersion& version, DeployReport& report) {
  const int stuck = version.threads->stuck();
  if (stuck < runtime::ThreadShare::limit) return;
  report.notices.push_back(fmt::format("{} calls of {} are stuck: until some of them return new ones are answered 503",
                                       stuck, version.config.name));
}

/// Of a version that has not gone live: nobody will run its unload.
void tell_of_threads_left(const ModuleVersion& version, DeployReport& report) {
  const int threads = version.own_threads;
  if (threads == 0) return;
  report.notices.push_back(fmt::format("{} thread{} that it has started still run{}: its memory is kept until then",
                                       threads, threads == 1 ? "" : "s", threads == 1 ? "s" : ""));
}

}  // namespace

Deployer::Deployer(jit::Compiler& compiler, jit::Linker& linker, runtime::Runtime& runtime, DeployerOptions options)
    : compiler_(compiler), linker_(linker), runtime_(runtime), registry_(runtime.registry()), options_(options) {}

DeployReport Deployer::deploy(const PostedSource& posted) {
  const Stopwatch total;
  DeployReport report;
  report.repaired = posted.repaired;
  run_deploy(posted, report);
  report.timings.total_ms = total.elapsed_ms();
  counter_.count(report);
  if (report.status == DeployReport::Status::failed) tell_failed(report);
  return report;
}

DeployReport Deployer::check(const PostedSource& posted) {
  const Stopwatch total;
  DeployReport report;
  report.repaired = posted.repaired;
  run_check(posted, report);
  report.timings.total_ms = total.elapsed_ms();
  if (report.status == DeployReport::Status::checked) counter_.count(report);
  return report;
}

void Deployer::run_deploy(const PostedSource& posted, DeployReport& report) {
  std::string name = guess_module_name(posted.code);
  DeployLanes::Ticket ticket = lanes_.draw(name);
  report.hash = store::sha256_hex(posted.code);
  // With an older deploy of the name under way, what runs now is not what this one will replace.
  if (ticket.is_first() && say_if_unchanged(posted, ticket, report)) return;
  const auto compilation = compile(posted.code, report);
  if (!compilation) return finish(name, report);
  ticket.wait_turn();
  if (say_if_unchanged(posted, ticket, report)) return;

  const VersionPtr version = link(*compilation, posted.code, report);
  if (!version) return finish(name, report);
  version->hash = report.hash;
  begin_loading(*version, name);
  milliseconds time_left = options_.load_deadline;
  std::string replaced_hash;
  const auto go_live = [&] {
    if (!run_constructors(version, time_left, report) || !read_configuration(*version, report)) return false;
    name = version->config.name;
    if (!is_expected_module(posted, name, report) || !check_routes(*version, report)) return false;
    if (!ticket.enter(name)) {
      return stop(report, 409, "request", fmt::format("superseded: a later deploy of {} is live already", name));
    }
    auto claimed = claim(version, report);
    Keeping keeping;
    if (!claimed || !prepare_to_keep(*version, posted.file, keeping, report)) return false;
    if (!run_onload(version, time_left, report) || !keep(version, keeping, report)) return false;
    if (const auto replaced = registry_.find(name)) replaced_hash = replaced->live->hash;
    registry_.publish(std::move(*claimed));
    ticket.took_effect();
    return true;
  };
  if (!go_live()) {
    version->set_state(runtime::VersionState::failed);
    tell_of_threads_left(*version, report);
    return finish(name, report);
  }
  note_in_journal(*version, *compilation);
  note_in_cache(*version, *compilation, replaced_hash);
  tell_deployed(*version);
  tell_of_stuck_calls(*version, report);
  succeed(report, DeployReport::Status::deployed, *version);
}

void Deployer::run_check(const PostedSource& posted, DeployReport& report) {
  std::string name = guess_module_name(posted.code);
  report.hash = store::sha256_hex(posted.code);
  const auto compilation = compile(posted.code, report);
  if (!compilation) return finish(name, report);
  const VersionPtr version = link(*compilation, posted.code, report);
  if (!version) return finish(name, report);
  version->hash = report.hash;
  version->set_state(runtime::VersionState::failed);  // it never goes live
  if (!read_configuration(*version, report) || !check_routes(*version, report)) return finish(name, report);
  name = version->config.name;
  DeployLanes::Ticket ticket = lanes_.draw_unordered();
  const bool entered = ticket.enter(name);
  CWEB_ASSERT(entered);
  if (!claim(version, report)) return finish(name, report);
  succeed(report, DeployReport::Status::checked, *version);
  report.module->state.clear();
}

Deployer::Restart Deployer::restart(const VersionPtr& version, RestartBy by) {
  DeployLanes::Ticket ticket = lanes_.draw(version->config.name);
  if (ticket.is_first()) return restart_now(std::move(ticket), version, by);
  runtime::SpareThreads::Task later = [this, version, by, ticket = std::move(ticket)]() mutable {
    ticket.wait_turn();
    restart_now(std::move(ticket), version, by);
  };
  return {.result = runtime_.spare_threads().run(later) ? Restart::Result::under_way : Restart::Result::failed,
          .report = failed_report(503, "onload", "all threads are busy with calls of modules; try again")};
}

Deployer::Restart Deployer::restart_now(DeployLanes::Ticket ticket, const VersionPtr& version, RestartBy by) {
  const Stopwatch total;
  const std::string& name = version->config.name;
  if (!ticket.enter(name)) return {};
  const auto live = registry_.find(name);
  if (!live || live->live != version) return {};
  Restart restart{.result = Restart::Result::failed, .report = {}};
  DeployReport& report = restart.report;
  const VersionPtr fresh = link({.object = std::string(version->image().object()), .facts = version->image().facts()},
                                version->source, report);
  if (!fresh) return restart;
  fresh->hash = version->hash;
  begin_loading(*fresh, name);
  milliseconds time_left = options_.load_deadline;
  const auto go_live = [&] {
    if (!run_constructors(fresh, time_left, report) || !read_configuration(*fresh, report)) return false;
    if (!check_routes(*fresh, report)) return false;
    auto claimed = claim(fresh, report);
    if (!claimed || !run_onload(fresh, time_left, report)) return false;
    return registry_.publish_restarted(std::move(*claimed), *version);
  };
  if (!go_live()) {
    fresh->set_state(runtime::VersionState::failed);
    return restart;
  }
  ticket.took_effect();
  restart.result = Restart::Result::restarted;
  if (by == RestartBy::call && options_.observer != nullptr) options_.observer->restarted(name, fresh->number);
  tell_of_stuck_calls(*fresh, report);
  succeed(report, DeployReport::Status::deployed, *fresh);
  report.timings.total_ms = total.elapsed_ms();
  return restart;
}

Deployer::Removal Deployer::remove(const std::string& name) {
  return remove_if(name, [] { return true; });
}

Deployer::Removal Deployer::remove_with_file(const std::string& name, const std::string& gone_file) {
  const ModuleKeeper& keeper = *options_.keeper;
  return remove_if(name, [&] { return keeper.file_of(name) == gone_file && !keeper.is_there(gone_file); });
}

Deployer::Removal Deployer::remove_without_file(const std::string& name) {
  return remove_if(name, [&] { return options_.keeper->file_of(name).empty(); });
}

Deployer::Removal Deployer::remove_if(const std::string& name, const std::function<bool()>& is_wanted) {
  DeployLanes::Ticket ticket = lanes_.draw(name);
  ticket.wait_turn();
  if (!ticket.enter(name)) return {.result = Removal::Result::superseded, .failure = {}, .module = {}};
  // From here on nobody else changes what this name stands for.
  if (!is_wanted()) return {};
  const auto leaving = registry_.find(name);
  if (options_.keeper != nullptr) {
    if (auto failure = options_.keeper->remove(name)) {
      return {.result = Removal::Result::not_kept, .failure = std::move(*failure), .module = {}};
    }
  }
  const bool was_live = leaving && registry_.remove(name);
  const bool was_kept = options_.journal != nullptr && options_.journal->removed(name);
  if (!was_live && !was_kept) return {};
  ticket.took_effect();
  counter_.count_removal();
  Removal removal{.result = Removal::Result::removed, .failure = {}, .module = {}};
  if (was_live) removal.module = summarize(*leaving->live);
  if (options_.observer != nullptr) options_.observer->removed(name, was_live ? leaving->live->number : 0);
  return removal;
}

void Deployer::forgive(const std::string& name) const {
  if (options_.journal != nullptr) options_.journal->forgive(name);
}

bool Deployer::say_if_unchanged(const PostedSource& posted, DeployLanes::Ticket& ticket, DeployReport& report) const {
  const VersionPtr live = registry_.find_by_hash(report.hash);
  // Who posts a quarantined module again wants it to answer again.
  if (!live || live->quarantined) return false;
  if (!is_expected_module(posted, live->config.name, report)) {
    finish(posted.module, report);
    return true;
  }
  if (options_.keeper != nullptr) {
    const std::string& name = live->config.name;
    if (!ticket.enter(name) || registry_.find_by_hash(report.hash) != live) {
      stop(report, 409, "request", fmt::format("superseded: a later deploy of {} is live already", name));
      finish(name, report);
      return true;
    }
    // The answer says that it is kept, and somebody may have removed its file.
    if (const auto kept = options_.keeper->keep(name, report.hash, posted.code, posted.file); !kept) {
      stop(report, kept.error().http_status, "keep", kept.error().message);
      finish(name, report);
      return true;
    }
  }
  succeed(report, DeployReport::Status::unchanged, *live);
  return true;
}

std::optional<jit::Compilation> Deployer::compile(const std::string& source, DeployReport& report) {
  const Stopwatch wall;
  auto compiled = compiler_.compile(source);
  if (compiled) {
    report.timings.compile_ms = compiled->timings.total_ms;
    report.timings.hop_ms = std::max(0.0, wall.elapsed_ms() - compiled->timings.total_ms);
    report.diagnostics = compiled->diagnostics;
    report.rendered = compiled->rendered;
    return std::move(*compiled);
  }
  jit::CompileFailure& failure = compiled.error();
  report.timings.compile_ms = wall.elapsed_ms();
  report.http_status = failure.kind == jit::CompileFailure::Kind::unavailable ? 503 : 422;
  report.stage = failure.stage;
  if (failure.diagnostics.empty()) {
    report.message = failure.rendered;
    while (report.message.ends_with('\n')) report.message.pop_back();
    return std::nullopt;
  }
  report.message = failure.stage == "config" ? "config is not what it must be" : "the source does not compile";
  report.diagnostics = std::move(failure.diagnostics);
  report.rendered = std::move(failure.rendered);
  return std::nullopt;
}

Deployer::VersionPtr Deployer::link(const jit::Compilation& compilation, const std::string& source,
                                    DeployReport& report) {
  if (registry_.live_versions() >= options_.max_live_versions) {
    stop(report, 503, "link",
         fmt::format("{} modules are live, more than that this process cannot map; remove some",
                     options_.max_live_versions));
    return nullptr;
  }
  const Stopwatch watch;
  auto image = linker_.link(compilation, source);
  report.timings.link_ms = watch.elapsed_ms();
  if (!image) {
    stop(report, 422, "link", "the module does not link");
    for (auto& diagnostic : image.error().diagnostics) report.diagnostics.push_back(std::move(diagnostic));
    report.rendered += image.error().rendered;
    return nullptr;
  }
  auto version = std::make_shared<ModuleVersion>(++last_version_id_, std::move(*image), options_.module_memory);
  version->source = source;
  runtime::note_code(version);
  return version;
}

bool Deployer::read_configuration(ModuleVersion& version, DeployReport& report) const {
  auto config = runtime::read_config(version.image());
  if (!config) {
    fail_at(report, 422, "config", std::move(config.error().message), version, config.error().position);
    return false;
  }
  version.config = std::move(*config);
  const auto deadline =
      version.config.deadline_ms > 0 ? milliseconds(version.config.deadline_ms) : options_.call_deadline;
  version.deadline_ns = std::chrono::nanoseconds(deadline).count();
  for (const std::string& notice : version.config.notices) report.notices.push_back(notice);
  return true;
}

bool Deployer::check_routes(ModuleVersion& version, DeployReport& report) const {
  if (auto refused = mgnt::check_routes(version.config)) {
    fail_at(report, refused->status, "routes", std::move(refused->message), version, refused->position);
    return false;
  }
  for (std::string& sentence : repeated_rows(version.config)) report.notices.push_back(std::move(sentence));
  return true;
}

std::optional<runtime::Registry::Claim> Deployer::claim(const VersionPtr& version, DeployReport& report) {
  auto claimed = registry_.claim(version);
  if (!claimed) {
    const runtime::Conflict& conflict = claimed.error();
    fail_at(report, 409, "routes", fmt::format("{} belongs to module {}", conflict.what, conflict.owner), *version,
            conflict.position);
    return std::nullopt;
  }
  for (const std::string& warning : claimed->warnings()) report.notices.push_back(warning);
  return std::move(*claimed);
}

/// `name` is the one that counts, or a guess at it: constructors run before the configuration can be read.
void Deployer::begin_loading(ModuleVersion& version, const std::string& name) {
  version.config.name = name;
  version.threads = registry_.threads_of(name);
  version.set_state(runtime::VersionState::loading);
}

bool Deployer::run_constructors(const VersionPtr& version, milliseconds& time_left, DeployReport& report) {
  const Stopwatch watch;
  const milliseconds whole = time_left;
  for (void (*const constructor)() : version->image().constructors()) {
    if (!call(version, constructor, "a constructor", time_left, report)) return false;
    const milliseconds used(static_cast<int64_t>(watch.elapsed_ms()));
    time_left = std::max(milliseconds(0), whole - used);
  }
  report.timings.onload_ms = watch.elapsed_ms();
  return true;
}

bool Deployer::run_onload(const VersionPtr& version, milliseconds time_left, DeployReport& report) {
  if (version->config.onload == nullptr) return true;
  const Stopwatch watch;
  const bool returned =
      call(version, {version->config.onload, version->config.onload_shape}, "onload", time_left, report);
  report.timings.onload_ms += watch.elapsed_ms();
  return returned;
}

bool Deployer::call(const VersionPtr& version, runtime::LoadFunction function, const char* what, milliseconds time_left,
                    DeployReport& report) {
  using Ending = runtime::WaitedCall::Ending;
  const std::string late = fmt::format("{} did not return within {} s", what, options_.load_deadline.count() / 1000);
  const runtime::WaitedCall ended =
      runtime::call_and_wait(runtime_.spare_threads(), runtime_.deadlines(), version, function, time_left);
  switch (ended.ending) {
    case Ending::returned:
      return true;
    case Ending::stopped:
    case Ending::overdue: {  // the call owns the version until it returns, whenever that is
      const runtime::FaultAnswer answer =
          runtime::report_fault(version, ended.fault, {.call = what, .request = {}, .accept = {}});
      report.rendered += answer.body;
      if (ended.fault.kind != runtime::FaultRecord::Kind::deadline) {
        return stop(report, 422, "onload", fmt::format("{} did not return: {}", what, answer.sentence));
      }
      return stop(report, 422, "onload", fmt::format("{}: {}", late, answer.sentence));
    }
    case Ending::no_share:
      return stop(
          report, 503, "onload",
          fmt::format("{} calls of the module are running or stuck, more threads it cannot have; try again when "
                      "some have returned",
                      version->threads->in_use()));
    case Ending::no_thread:
      break;
  }
  return stop(report, 503, "onload", "all threads are busy with calls of modules; try again");
}

/// While the deploy still has its name to itself, so that the journal's order is that of the deploys.
void Deployer::note_in_journal(const ModuleVersion& version, const jit::Compilation& compilation) const {
  if (options_.journal == nullptr) return;
  options_.journal->deployed({.name = version.config.name,
                              .number = version.number,
                              .deployed_at = version.deployed_at,
                              .hash = version.hash,
                              .source = version.source,
                              .facts = jit::encode_facts(compilation.facts),
                              .object = compilation.object});
}

/// Tells what runs on in spite of a failure.
void Deployer::finish(const std::string& guessed_name, DeployReport& report) const {
  report.name = guessed_name;
  const auto live = registry_.find(guessed_name);
  if (live) report.keeps_serving = fmt::format("{}, version {}", guessed_name, live->live->number);
}

/// Like the journal's record: while the name is the deploy's own, so that what is told is in order.
void Deployer::tell_deployed(const ModuleVersion& version) const {
  if (options_.observer != nullptr) options_.observer->deployed(version.config.name, version.number);
}

void Deployer::tell_failed(const DeployReport& report) const {
  if (options_.observer != nullptr) options_.observer->deploy_failed(report);
}

}  // namespace cweb::mgnt
