#include "store/history.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include "store/digest.h"
#include "store/file_name.h"

namespace cweb::store {
namespace {

constexpr const char* folder = ".history";
constexpr size_t hash_digits = 64;
constexpr std::string_view suffix = ".c";
constexpr std::string_view never_live = "-saved";

std::string file_of(const HistoryEntry& entry) {
  return fmt::format("{:06}-{}{}{}", entry.number, entry.hash, entry.was_live ? "" : never_live, suffix);
}

std::string time_text(const timespec& time) {
  tm parts{};
  ::gmtime_r(&time.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time.tv_nsec / 1'000'000);
}

/// Empty for other files.
std::optional<HistoryEntry> entry_named(std::string_view name) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  HistoryEntry entry;
  entry.was_live = !name.ends_with(never_live);
  if (!entry.was_live) name.remove_suffix(never_live.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), entry.number);
  const std::string_view rest = name.substr(static_cast<size_t>(end - name.data()));
  if (error != std::errc() || rest.size() != 1 + hash_digits || rest.front() != '-') return std::nullopt;
  entry.hash = rest.substr(1);
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(entry.hash.begin(), entry.hash.end(), is_digit)) return std::nullopt;
  return entry;
}

}  // namespace

FileResult<UniqueFd> History::open(const std::string& module, bool make) const {
  const unsigned mode = make ? 0755 : 0;
  const auto all = open_directory(directory_, folder, mode);
  if (!all) return std::unexpected(all.error());
  return open_directory(all->get(), file_stem(module), mode);
}

std::vector<HistoryEntry> History::entries_in(int history) const {
  std::vector<HistoryEntry> entries;
  const auto names = names_in(history);
  if (!names) return entries;
  for (const std::string& name : *names) {
    auto entry = entry_named(name);
    struct stat facts{};
    if (!entry || ::fstatat(history, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode)) {
      continue;
    }
    entry->bytes = static_cast<size_t>(facts.st_size);
    entry->deployed_at = time_text(facts.st_mtim);
    entries.push_back(std::move(*entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const HistoryEntry& left, const HistoryEntry& right) { return left.number > right.number; });
  return entries;
}

std::vector<HistoryEntry> History::entries(const std::string& module) const {
  const auto history = open(module, /*make=*/false);
  return history ? entries_in(history->get()) : std::vector<HistoryEntry>{};
}

FileResult<History::Added> History::add(const std::string& module, const std::string& hash, std::string_view source,
                                        bool was_live) {
  const std::lock_guard lock(mutex_);
  const auto history = open(module, /*make=*/true);
  if (!history) return std::unexpected(history.error());
  const std::vector<HistoryEntry> before = entries_in(history->get());
  const bool is_there = !before.empty() && before.front().hash == hash && before.front().bytes == source.size();
  if (is_there && (before.front().was_live || !was_live)) {
    return Added{.entry = before.front(), .is_new = false};
  }
  HistoryEntry entry{.number = before.empty() ? 1 : before.front().number + 1, .hash = hash};
  entry.was_live = was_live;
  const std::string temporary = temporary_name();
  if (auto written = write_new_file(history->get(), temporary, source, 0644, /*sync=*/false); !written) {
    return std::unexpected(written.error());
  }
  const std::string name = file_of(entry);
  if (::renameat(history->get(), temporary.c_str(), history->get(), name.c_str()) != 0) {
    const int number = errno;
    ::unlinkat(history->get(), temporary.c_str(), 0);
    return file_error(number);
  }
  struct stat facts{};
  if (::fstatat(history->get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    entry.deployed_at = time_text(facts.st_mtim);
  }
  entry.bytes = source.size();
  return Added{.entry = std::move(entry), .is_new = true};
}

void History::drop(const std::string& module, const HistoryEntry& entry) {
  const std::lock_guard lock(mutex_);
  const auto history = open(module, /*make=*/false);
  if (history) ::unlinkat(history->get(), file_of(entry).c_str(), 0);
}

void History::prune(const std::string& module) {
  const std::lock_guard lock(mutex_);
  const auto history = open(module, /*make=*/false);
  if (!history) return;
  if (const auto names = names_in(history->get())) {
    for (const std::string& name : *names) {
      if (is_temporary(name)) ::unlinkat(history->get(), name.c_str(), 0);
    }
  }
  std::set<std::pair<std::string, bool>> kept;
  for (const HistoryEntry& entry : entries_in(history->get())) {
    const bool is_kept = kept.size() < most_versions && kept.emplace(entry.hash, entry.was_live).second;
    if (!is_kept) ::unlinkat(history->get(), file_of(entry).c_str(), 0);
  }
}

FileResult<std::string> History::read(const std::string& module, const HistoryEntry& entry) const {
  const auto history = open(module, /*make=*/false);
  if (!history) return std::unexpected(history.error());
  auto text = read_file(history->get(), file_of(entry), longest_, /*follow=*/false);
  if (text && sha256_hex(*text) != entry.hash) return file_error(EBADMSG);
  return text;
}

void History::forget_gone(const std::set<std::string>& modules) {
  const std::lock_guard lock(mutex_);
  const auto all = open_directory(directory_, folder);
  if (!all) return;
  const auto names = names_in(all->get());
  if (!names) return;
  std::set<std::string> present;
  for (const std::string& module : modules) present.insert(file_stem(module));
  std::vector<std::pair<int64_t, std::string>> gone;  // when it changed last
  for (const std::string& name : *names) {
    struct stat facts{};
    if (present.contains(name) || ::fstatat(all->get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(facts.st_mode)) gone.emplace_back(facts.st_mtim.tv_sec, name);
  }
  if (gone.size() <= most_gone) return;
  std::sort(gone.begin(), gone.end());
  gone.resize(gone.size() - most_gone);
  for (const auto& [time, name] : gone) {
    const auto history = open_directory(all->get(), name);
    if (!history) continue;
    for (const HistoryEntry& entry : entries_in(history->get())) {
      ::unlinkat(history->get(), file_of(entry).c_str(), 0);
    }
    // Stays where somebody put a file of their own.
    ::unlinkat(all->get(), name.c_str(), AT_REMOVEDIR);
  }
}

}  // namespace cweb::store
