#include "mgnt/directory_sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/log.h"
#include "mgnt/crash_note.h"
#include "store/digest.h"

namespace cweb::mgnt {

void DirectorySync::start(const Deployer::StartOptions& options) {
  const auto names = keeper_.directory().files();
  if (!names) {
    log::error("{} cannot be read: {}; no module is brought back", keeper_.directory().path(),
               store::describe(names.error().number));
    return;
  }
  std::vector<Deployer::StartFile> files;
  for (const std::string& name : *names) {
    auto source = keeper_.directory().read(name);
    if (source) {
      files.push_back({.file = name, .source = std::move(*source), .report = {}});
    } else {
      unreadable(name, source.error());
    }
  }
  deployer_.start_from_files(files, options);
  for (const Deployer::StartFile& file : files) {
    if (file.report.status == DeployReport::Status::failed) tell_failure(file.file, file.report.hash, file.report);
  }
  remove_those_without_file();
  // What stood in their way may be gone now. Whoever the process dies of has its name noted, as at every start.
  for (const std::string& file : keeper_.turned_away()) {
    if (options.one_at_a_time) write_crash_note(options.crash_note, file);
    if (const auto source = keeper_.directory().read(file)) deploy(file, *source);
  }
  if (options.one_at_a_time) write_crash_note(options.crash_note, {});
  keeper_.clean_up();
}

/// The journal may have what was removed in the process's last moment. A module whose file is broken or cannot be read
/// goes on, as it does when that happens while it runs.
void DirectorySync::remove_those_without_file() {
  for (const runtime::ModuleStatus& module : registry_.list()) {
    const std::string& name = module.live->config.name;
    if (keeper_.hold(name, fmt::format("{}, version {}", name, module.live->number))) continue;
    log::info("module {} has no file in {} any more: it is removed", name, keeper_.directory().path());
    deployer_.remove(name);
  }
}

void DirectorySync::look_at(const std::vector<std::string>& files) {
  look_at(files, /*were_saved=*/true);
}

void DirectorySync::look_at(const std::vector<std::string>& files, bool were_saved) {
  bool makes_room = false;
  for (const std::string& file : files) {
    if (is_stopped_) return;
    makes_room |= look_at_one(file, were_saved) == Outcome::changed;
  }
  // What was taken by another may be free now; each gets one chance, or two could take turns for ever.
  if (!makes_room) return;
  for (const std::string& file : keeper_.turned_away()) {
    if (is_stopped_) return;
    if (const auto source = keeper_.directory().read(file)) deploy(file, *source);
  }
}

void DirectorySync::look_at_all() {
  const auto names = keeper_.directory().files();
  if (!names) return;
  std::set<std::string> all(names->begin(), names->end());
  for (std::string& file : keeper_.known_files()) all.insert(std::move(file));
  look_at(std::vector<std::string>(all.begin(), all.end()), /*were_saved=*/false);
}

DirectorySync::Outcome DirectorySync::look_at_one(const std::string& file, bool was_saved) {
  const auto source = keeper_.directory().read(file);
  if (!source && source.error().number == ENOENT) return gone(file);
  if (!source) {
    unreadable(file, source.error());
    return Outcome::failed;
  }
  // The server's own writing, or a save that changed nothing. Who saves a text again whose failure may have passed
  // wants another try.
  const std::string hash = store::sha256_hex(*source);
  if (was_saved ? keeper_.is_settled(file, hash) : keeper_.knows(file, hash)) return Outcome::nothing;
  return deploy(file, *source);
}

DirectorySync::Outcome DirectorySync::gone(const std::string& file) {
  const std::string module = keeper_.module_of(file);
  if (module.empty()) {
    // Removed by a call, or never served; what it stood in the way of may be.
    keeper_.forget(file);
    return Outcome::changed;
  }
  const Deployer::Removal removal = deployer_.remove_with_file(module, file);
  if (removal.result != Deployer::Removal::Result::removed) return Outcome::nothing;
  log::info("{} is gone: module {} is removed", file, module);
  return Outcome::changed;
}

DirectorySync::Outcome DirectorySync::deploy(const std::string& file, const std::string& source) {
  const std::string before = keeper_.module_of(file);
  const DeployReport report = deployer_.deploy({.code = source, .repaired = false, .file = file});
  if (report.status == DeployReport::Status::failed) {
    // Of a content that is not there any more nobody wants to hear: its successor comes by itself.
    const auto now = keeper_.directory().read(file);
    if (!now || *now != source) return Outcome::nothing;
    tell_failure(file, report.hash, report);
    return Outcome::failed;
  }
  const std::string& name = report.module->name;
  if (report.status == DeployReport::Status::deployed) {
    faults_.begin_anew(name);
    log::info("{}: {}, version {}, is deployed, {:.1f} ms", file, name, report.module->version,
              report.timings.total_ms);
    if (!report.rendered.empty()) log::warn("{}:\n{}", file, report.rendered);
  }
  if (!before.empty() && before != name) {
    const Deployer::Removal removal = deployer_.remove_without_file(before);
    if (removal.result == Deployer::Removal::Result::removed) {
      log::info("{} holds module {} now: module {} is removed", file, name, before);
    }
  }
  return Outcome::changed;
}

void DirectorySync::unreadable(const std::string& file, const store::FileError& error) {
  // A directory, or a link that leads nowhere, is nobody's module.
  const bool is_no_file = error.number == ENOENT || error.number == EISDIR || error.number == EINVAL;
  DeployReport report =
      failed_report(is_no_file ? 404 : 500, "read", fmt::format("cannot be read: {}", store::describe(error.number)));
  if (error.number == EFBIG) {
    report = failed_report(
        413, "read", fmt::format("is longer than the {} bytes that are compiled", jit::CompileLimits{}.source_bytes));
  }
  tell_failure(file, {}, report);
}

void DirectorySync::tell_failure(const std::string& file, const std::string& hash, const DeployReport& report) {
  if (!keeper_.note_failed(file, hash, report)) return;
  log::error("{}/{} is not served ({}): {}\n{}", keeper_.directory().path(), file, report.stage, report.message,
             report.rendered);
}

}  // namespace cweb::mgnt
