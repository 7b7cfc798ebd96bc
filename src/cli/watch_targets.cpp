#include "cli/watch_targets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "cli/routes_ini.h"

namespace cweb::cli {
namespace {

namespace fs = std::filesystem;

/// Fails for a line that is not understood, too.
Expected<RoutesIni> read_list(const std::string& path) {
  auto ini = read_routes_ini(path, FileKind::regular);
  if (ini && !ini->problems.empty()) return fail(ini->problems.front());
  if (ini) ini->files = without_repetition(ini->files);
  return ini;
}

}  // namespace

Expected<WatchTargets> WatchTargets::find(const std::vector<std::string>& arguments, const std::string& ask) {
  WatchTargets targets;
  std::vector<std::string> all = arguments;
  if (all.empty()) {
    if (::access(default_ini, F_OK) != 0) return fail(ask + ", or list files in routes.ini");
    all.emplace_back(default_ini);
  }
  for (const std::string& argument : all) {
    if (auto added = targets.add_argument(argument); !added) return std::unexpected(added.error());
  }
  return targets;
}

Expected<void> WatchTargets::add_argument(const std::string& argument) {
  std::error_code error;
  const fs::file_status status = fs::status(argument, error);
  if (fs::is_directory(status)) {
    directories_.push_back(argument);
    for (const std::string& file : sources_in(argument)) add(file);
    return {};
  }
  if (argument.ends_with(".ini")) return add_list(argument);
  if (!fs::exists(status)) return fail(argument + ": there is no such file to watch");
  if (!fs::is_regular_file(status)) return fail(argument + ": neither a file nor a directory, and cannot be watched");
  named_.insert(argument);
  add(argument);
  return {};
}

bool WatchTargets::add(const std::string& file) {
  if (std::ranges::find(files_, file) != files_.end()) return false;
  files_.push_back(file);
  return true;
}

Expected<void> WatchTargets::add_list(const std::string& path) {
  auto ini = read_list(path);
  if (!ini) return std::unexpected(ini.error());
  take_server(path, ini->server_url);
  for (const std::string& file : ini->files) add(file);
  lists_[path] = std::move(ini->files);
  return {};
}

/// What a list says of the server.
void WatchTargets::take_server(const std::string& list, const std::string& url) {
  if (server_list_.empty() && !url.empty()) server_list_ = list;
  if (server_list_ == list) server_url_ = url;
}

Expected<void> WatchTargets::add_to(FileWatch& watch) const {
  for (const std::string& directory : directories_) {
    if (auto added = watch.add_directory(directory); !added) return added;
  }
  for (const std::string& file : named_) {
    if (auto added = watch.add_file(file); !added) return added;
  }
  for (const auto& [list, files] : lists_) {
    if (auto added = watch.add_file(list); !added) return added;
    for (const std::string& file : files) {
      if (auto added = watch.add_file(file); !added) return added;
    }
  }
  return {};
}

Expected<std::vector<std::string>> WatchTargets::read_again(const std::string& list, FileWatch& watch) {
  auto ini = read_list(list);
  if (!ini) return std::unexpected(ini.error());
  take_server(list, ini->server_url);
  std::vector<std::string>& listed = lists_[list];
  for (const std::string& file : ini->files) {
    if (auto watched = watch.add_file(file); !watched) return std::unexpected(watched.error());
  }
  std::vector<std::string> added;
  for (const std::string& file : ini->files) {
    if (add(file)) added.push_back(file);
  }
  for (const std::string& file : listed) {
    const bool is_listed = std::ranges::find(ini->files, file) != ini->files.end();
    if (is_listed || named_.contains(file)) continue;
    watch.remove_file(file);
    std::erase(files_, file);
  }
  listed = std::move(ini->files);
  return added;
}

}  // namespace cweb::cli
