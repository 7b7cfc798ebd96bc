#include "mgnt/module_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "store/digest.h"
#include "store/file_name.h"

namespace cweb::mgnt {
namespace {

using nlohmann::ordered_json;
using store::FileError;
using store::HistoryEntry;

constexpr size_t longest_source = jit::CompileLimits{}.source_bytes;
constexpr const char* nothing_changed = "nothing was changed, and what ran keeps running";
/// As whose failure a file is noted that is none, but a directory, or a link that leads nowhere.
constexpr int no_file = 404;
/// Files whose names others took; somebody is playing.
constexpr unsigned most_attempts = 99;

bool is_out_of_space(int number) {
  return number == ENOSPC || number == EDQUOT;
}

}  // namespace

Expected<std::unique_ptr<ModuleKeeper>> ModuleKeeper::open(const std::string& path,
                                                           const Expected<std::string>& fingerprint) {
  auto directory = store::ModuleDirectory::open(path, longest_source);
  if (!directory) return std::unexpected(directory.error());
  if (const std::string& why = (*directory)->why_read_only(); !why.empty()) {
    log::warn("{} cannot be written ({}): its modules are served, and deploys will be refused", path, why);
  }
  std::unique_ptr<store::ObjectCache> cache;
  if (fingerprint) {
    cache = store::ObjectCache::open((*directory)->fd(), *fingerprint);
  } else {
    log::warn("object code is not cached: {}", fingerprint.error().message);
  }
  return std::unique_ptr<ModuleKeeper>(new ModuleKeeper(std::move(*directory), std::move(cache)));
}

ModuleKeeper::ModuleKeeper(std::unique_ptr<store::ModuleDirectory> directory, std::unique_ptr<store::ObjectCache> cache)
    : directory_(std::move(directory)), cache_(std::move(cache)), history_(directory_->fd(), longest_source) {}

KeepFailure ModuleKeeper::failure_of(const FileError& error, const std::string& file, const char* what) const {
  const std::string path = directory_->path() + "/" + file;
  if (error.kind == FileError::Kind::link) {
    return {409, fmt::format("{} is a symbolic link, and the server writes through none; {}. Edit the file that it "
                             "leads to, or remove the link",
                             path, nothing_changed)};
  }
  if (error.kind == FileError::Kind::changed) {
    return {409, fmt::format("{} was changed by somebody else since the server read or wrote it; {}. Move the file "
                             "away, or have the server read it: by a restart, or in development by waiting a moment",
                             path, nothing_changed)};
  }
  if (is_out_of_space(error.number)) {
    return {507, fmt::format("{} {}: {}; {}. Make room, then try again", what, path, store::describe(error.number),
                             nothing_changed)};
  }
  return {500, fmt::format("{} {}: {}; {}", what, path, store::describe(error.number), nothing_changed)};
}

ModuleKeeper::Files::const_iterator ModuleKeeper::file_of_locked(const std::string& module, bool serves) const {
  auto file = files_.begin();
  while (file != files_.end() && (file->second.module != module || file->second.serves != serves)) ++file;
  return file;
}

/// Where the module goes, and what has to be there now: its own file whatever that is called, else one that failed and
/// was to be this module, else one by its name.
std::expected<ModuleKeeper::Intent, KeepFailure> ModuleKeeper::choose_file_locked(Intent intent) const {
  const auto served = file_of_locked(intent.module, /*serves=*/true);
  if (!intent.file.empty()) {
    if (served == files_.end() || served->first == intent.file) return intent;
    return std::unexpected(KeepFailure{
        409, fmt::format("module {} is served from {}; {} is left alone", intent.module, served->first, intent.file)});
  }
  const auto own = served != files_.end() ? served : file_of_locked(intent.module, /*serves=*/false);
  if (own != files_.end()) {
    intent.file = own->first;
    intent.expected_hash = own->second.hash;
    intent.replaces_failed = own->second.failure.has_value();
    return intent;
  }
  for (unsigned attempt = 1; attempt <= most_attempts; ++attempt) {
    intent.file = store::file_name(intent.module, attempt);
    if (!files_.contains(intent.file)) return intent;
  }
  return std::unexpected(KeepFailure{409, fmt::format("{} and all files of like names hold other modules; {}",
                                                      store::file_name(intent.module), nothing_changed)});
}

std::expected<ModuleKeeper::Intent, KeepFailure> ModuleKeeper::prepare(const std::string& module,
                                                                       const std::string& hash, std::string_view source,
                                                                       const std::string& from_file) {
  Intent wanted{.module = module, .hash = hash, .file = from_file, .staged = {}, .expected_hash = {}};
  std::unique_lock lock(mutex_);
  auto intent = choose_file_locked(std::move(wanted));
  lock.unlock();
  if (!intent) return intent;
  const auto there = directory_->read(intent->file);
  if (!from_file.empty()) {
    if (there && *there == source) return intent;
    return std::unexpected(KeepFailure{409, fmt::format("{} has changed while it was deployed", from_file)});
  }
  // The way back to a source that somebody has put there by hand is no loss.
  if (there && *there == source) return intent;
  if (auto checked = directory_->check(intent->file, intent->expected_hash); !checked) {
    return std::unexpected(failure_of(checked.error(), intent->file, "cannot read"));
  }
  auto staged = directory_->stage(source, hash);
  if (!staged) return std::unexpected(failure_of(staged.error(), intent->file, "cannot write"));
  intent->staged.emplace(std::move(*staged));
  return intent;
}

/// What somebody wrote by hand and could not get deployed is nowhere else.
std::optional<KeepFailure> ModuleKeeper::save_failed(const std::string& module, const std::string& file) {
  const auto text = directory_->read(file);
  if (!text) return std::nullopt;
  const auto added = history_.add(module, store::sha256_hex(*text), *text, /*was_live=*/false);
  if (added) return std::nullopt;
  return failure_of(added.error(), file, "cannot write the history of");
}

std::expected<HistoryEntry, KeepFailure> ModuleKeeper::commit(const Intent& intent, std::string_view source) {
  if (intent.replaces_failed && intent.staged) {
    if (auto failure = save_failed(intent.module, intent.file)) return std::unexpected(std::move(*failure));
  }
  auto added = history_.add(intent.module, intent.hash, source);
  // What is there already is served without a history rather than not at all.
  if (!added && intent.staged) {
    return std::unexpected(failure_of(added.error(), intent.file, "cannot write the history of"));
  }
  if (intent.staged) {
    if (auto put = directory_->put(*intent.staged, intent.file, intent.expected_hash); !put) {
      if (added->is_new) history_.drop(intent.module, added->entry);
      return std::unexpected(failure_of(put.error(), intent.file, "cannot write"));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    files_[intent.file] = {.module = intent.module, .hash = intent.hash, .serves = true, .failure = {}};
  }
  if (!added) return HistoryEntry{.number = 0, .hash = intent.hash};
  if (added->is_new) history_.prune(intent.module);
  return added->entry;
}

std::expected<HistoryEntry, KeepFailure> ModuleKeeper::keep(const std::string& module, const std::string& hash,
                                                            std::string_view source, const std::string& from_file) {
  auto intent = prepare(module, hash, source, from_file);
  if (!intent) return std::unexpected(intent.error());
  return commit(*intent, source);
}

std::optional<KeepFailure> ModuleKeeper::remove(const std::string& module) {
  std::unique_lock lock(mutex_);
  const auto found = file_of_locked(module, /*serves=*/true);
  if (found == files_.end()) return std::nullopt;
  const std::string name = found->first;
  const std::string hash = found->second.hash;
  const bool is_other_text = found->second.failure.has_value();
  lock.unlock();
  if (is_other_text) {
    if (auto failure = save_failed(module, name)) return failure;
  }
  if (auto removed = directory_->remove(name, hash); !removed) {
    return failure_of(removed.error(), name, "cannot remove");
  }
  if (cache_) cache_->forget(hash);
  lock.lock();
  files_.erase(name);
  return std::nullopt;
}

std::string ModuleKeeper::last_live(const std::string& module) const {
  for (const HistoryEntry& entry : history_.entries(module)) {
    if (entry.was_live) return entry.hash;
  }
  return {};
}

std::expected<std::string, KeepFailure> ModuleKeeper::read_version(const std::string& module,
                                                                   const HistoryEntry& entry) const {
  auto text = history_.read(module, entry);
  if (text) return std::move(*text);
  if (text.error().number == EBADMSG) {
    return std::unexpected(
        KeepFailure{500, fmt::format("version {} of {} is damaged in the history", entry.hash.substr(0, 12), module)});
  }
  return std::unexpected(failure_of(text.error(), ".history/" + store::file_stem(module), "cannot read"));
}

bool ModuleKeeper::note_failed(const std::string& file, const std::string& hash, const DeployReport& report) {
  const std::lock_guard lock(mutex_);
  File& noted = files_[file];
  const bool is_known = noted.failure && noted.hash == hash && noted.failure->message == report.message;
  noted.hash = hash;
  // A module that runs from the file goes on, and its next version will be written there.
  if (!noted.serves) noted.module = report.name;
  noted.failure = report;
  return !is_known;
}

bool ModuleKeeper::hold(const std::string& module, const std::string& keeps_serving) {
  const std::lock_guard lock(mutex_);
  if (file_of_locked(module, /*serves=*/true) != files_.end()) return true;
  const auto may_be_its = [&](const File& file) { return file.module == module || file.module.empty(); };
  auto own = files_.find(store::file_name(module));
  if (own == files_.end() || own->second.serves || !may_be_its(own->second)) {
    own = std::find_if(files_.begin(), files_.end(),
                       [&](const auto& row) { return !row.second.serves && row.second.module == module; });
  }
  if (own == files_.end()) {
    return std::any_of(files_.begin(), files_.end(), [](const auto& row) {
      return row.second.module.empty() && row.second.failure && row.second.failure->http_status != no_file;
    });
  }
  own->second.module = module;
  own->second.serves = true;
  if (own->second.failure) own->second.failure->keeps_serving = keeps_serving;
  return true;
}

void ModuleKeeper::forget(const std::string& file) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(file);
  if (found != files_.end() && !found->second.serves) files_.erase(found);
}

bool ModuleKeeper::is_there(const std::string& file) const {
  const auto text = directory_->read(file);
  return text || text.error().number != ENOENT;
}

bool ModuleKeeper::knows(const std::string& file, const std::string& hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(file);
  return found != files_.end() && found->second.hash == hash;
}

bool ModuleKeeper::is_settled(const std::string& file, const std::string& hash) const {
  constexpr int bad_source = 422;
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(file);
  if (found == files_.end() || found->second.hash != hash) return false;
  const auto& failure = found->second.failure;
  return !failure || (failure->http_status == bad_source && failure->stage != "onload");
}

std::string ModuleKeeper::module_of(const std::string& file) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(file);
  return found == files_.end() || !found->second.serves ? std::string() : found->second.module;
}

std::string ModuleKeeper::file_of(const std::string& module) const {
  const std::lock_guard lock(mutex_);
  const auto found = file_of_locked(module, /*serves=*/true);
  return found == files_.end() ? std::string() : found->first;
}

std::vector<std::string> ModuleKeeper::turned_away() const {
  constexpr int conflict = 409;
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) {
    if (file.failure && file.failure->http_status == conflict) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ModuleKeeper::known_files() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

std::set<std::string> ModuleKeeper::kept_modules() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> modules;
  for (const auto& [name, file] : files_) {
    if (file.serves) modules.insert(file.module);
  }
  return modules;
}

void ModuleKeeper::clean_up() {
  if (cache_) {
    std::set<std::string> hashes;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, file] : files_) hashes.insert(file.hash);
    }
    cache_->keep_only(hashes);
  }
  history_.forget_gone(kept_modules());
}

ordered_json ModuleKeeper::files_json(bool with_source_lines) const {
  const std::lock_guard lock(mutex_);
  ordered_json rows = ordered_json::array();
  for (const auto& [name, file] : files_) {
    ordered_json row{{"file", name}};
    if (!file.module.empty()) row["module"] = file.module;
    row["status"] = file.failure ? "failed" : "served";
    if (file.failure) {
      const ordered_json report = to_json(*file.failure);
      row["stage"] = file.failure->stage;
      row["message"] = file.failure->message;
      if (report.contains("keeps_serving")) row["keeps_serving"] = report["keeps_serving"];
      row["diagnostics"] = report["diagnostics"];
      if (with_source_lines) row["rendered"] = report["rendered"];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace cweb::mgnt
