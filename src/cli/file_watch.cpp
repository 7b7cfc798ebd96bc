#include "cli/file_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace cweb::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t watched = IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// How often a directory that is gone is looked for.
constexpr int64_t look_every_ms = 250;

/// Not a directory's, nor what editors leave beside a file: ".x.c.swp", "#x.c#", "x.c~".
bool is_source(std::string_view name) {
  return name.size() > 2 && name.ends_with(".c") && name.front() != '.' && name.front() != '#';
}

/// Is it but a step of a save, whose end is told as well? It makes a save that has begun wait longer, and begins none:
/// who writes a file will close it. A file that appears with all that it has, by a link, has no other event.
bool is_step(const inotify_event& event, const std::string& path) {
  if ((event.mask & IN_MODIFY) != 0) return true;
  if ((event.mask & IN_CREATE) == 0) return false;
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink == 1;
}

std::string directory_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.ends_with('/') ? directory + name : directory + "/" + name;
}

}  // namespace

std::vector<std::string> sources_in(const std::string& path) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    if (is_source(name) && entry.is_regular_file(error)) found.push_back(joined(path, name));
  }
  std::ranges::sort(found);
  return found;
}

Expected<std::unique_ptr<FileWatch>> FileWatch::create() {
  UniqueFd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events) return fail(fmt::format("files cannot be watched here: {}", std::strerror(errno)));
  return std::unique_ptr<FileWatch>(new FileWatch(std::move(events)));
}

Expected<FileWatch::Directory*> FileWatch::watch(const std::string& directory) {
  const int number = ::inotify_add_watch(events_.get(), directory.c_str(), watched);
  if (number < 0 && errno == ENOSPC) {
    return fail(fmt::format(
        "{} cannot be watched: there are no inotify watches left (sysctl fs.inotify.max_user_watches)", directory));
  }
  if (number < 0) return fail(fmt::format("{} cannot be watched: {}", directory, std::strerror(errno)));
  Directory& entry = directories_[number];
  if (entry.path.empty()) entry.path = directory;
  return &entry;
}

Expected<void> FileWatch::add_file(const std::string& path) {
  auto directory = watch(directory_of(path));
  if (!directory) return std::unexpected(directory.error());
  (*directory)->names[fs::path(path).filename()].insert(path);
  watch_target(path);
  return {};
}

/// As far as there is one: saves through the link itself are seen anyway.
void FileWatch::watch_target(const std::string& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return;
  const fs::path target = fs::canonical(path, error);
  if (error) return;
  if (auto directory = watch(target.parent_path())) (*directory)->names[target.filename()].insert(path);
}

Expected<void> FileWatch::add_directory(const std::string& path) {
  auto directory = watch(path);
  if (!directory) return std::unexpected(directory.error());
  (*directory)->path = path;
  (*directory)->tells_all = true;
  for (const std::string& file : sources_in(path)) watch_target(file);
  return {};
}

void FileWatch::remove_file(const std::string& path) {
  const auto forget = [&](Directory& directory) {
    for (auto& [name, told] : directory.names) told.erase(path);
  };
  for (auto& [number, directory] : directories_) forget(directory);
  for (Directory& directory : lost_) forget(directory);
  touched_.erase(path);
}

void FileWatch::touch(const Directory& directory, const std::string& name, bool begins, int64_t now_ms) {
  const auto note = [&](const std::string& path) {
    if (const auto found = touched_.find(path); found != touched_.end()) {
      found->second.last_ms = now_ms;
    } else if (begins) {
      touched_[path] = {now_ms, now_ms};
    }
  };
  const auto found = directory.names.find(name);
  const bool has_names = found != directory.names.end() && !found->second.empty();
  if (has_names) std::ranges::for_each(found->second, note);
  if (!has_names && directory.tells_all && is_source(name)) note(joined(directory.path, name));
}

/// Something may have happened there that nobody has told of.
void FileWatch::touch_all(const Directory& directory, int64_t now_ms) {
  for (const auto& [name, told] : directory.names) touch(directory, name, true, now_ms);
  if (!directory.tells_all) return;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory.path, error)) {
    touch(directory, entry.path().filename(), true, now_ms);
  }
}

void FileWatch::read_events(int64_t now_ms) {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(events_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    for (size_t at = 0; at < static_cast<size_t>(count);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [number, directory] : directories_) touch_all(directory, now_ms);
        continue;
      }
      const auto found = directories_.find(event.wd);
      if (found == directories_.end()) continue;
      if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        ::inotify_rm_watch(events_.get(), event.wd);
        lost_.push_back(std::move(found->second));
        directories_.erase(found);
        next_look_ms_ = now_ms;
      } else if (!name.empty()) {
        touch(found->second, name, !is_step(event, joined(found->second.path, name)), now_ms);
      }
    }
  }
}

/// A directory that was removed or renamed may come back, as with another branch of a repository.
void FileWatch::look_for_lost(int64_t now_ms) {
  next_look_ms_ = now_ms + look_every_ms;
  std::vector<Directory> still_lost;
  for (Directory& lost : lost_) {
    auto directory = watch(lost.path);
    if (!directory) {
      still_lost.push_back(std::move(lost));
      continue;
    }
    (*directory)->tells_all |= lost.tells_all;
    for (auto& [name, told] : lost.names) (*directory)->names[name].merge(told);
    touch_all(**directory, now_ms);
  }
  lost_ = std::move(still_lost);
}

int FileWatch::time_to_wait_ms(int64_t now_ms) const {
  int64_t due_ms = lost_.empty() ? INT64_MAX : next_look_ms_;
  for (const auto& [path, touched] : touched_) {
    due_ms = std::min({due_ms, touched.last_ms + quiet_ms, touched.first_ms + longest_wait_ms});
  }
  return due_ms == INT64_MAX ? -1 : static_cast<int>(std::max<int64_t>(due_ms - now_ms, 0));
}

std::vector<std::string> FileWatch::take_saved(int64_t now_ms) {
  if (!lost_.empty() && now_ms >= next_look_ms_) look_for_lost(now_ms);
  std::vector<std::string> saved;
  for (auto entry = touched_.begin(); entry != touched_.end();) {
    const Touched& touched = entry->second;
    const bool is_due = now_ms >= std::min(touched.last_ms + quiet_ms, touched.first_ms + longest_wait_ms);
    if (is_due) saved.push_back(entry->first);
    entry = is_due ? touched_.erase(entry) : std::next(entry);
  }
  // A file that was replaced by a link, or a link that leads elsewhere now.
  for (const std::string& path : saved) watch_target(path);
  return saved;
}

}  // namespace cweb::cli
