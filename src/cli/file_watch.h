// Tells which of some files were saved. Editors save in many ways: in place, into a new file that takes the name, by
// removing and writing anew. So directories are watched and not files, and a file counts as saved once it has been left
// alone for a moment. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace cweb::cli {

/// The files NAME.c that are in a directory now, as "path/NAME.c", sorted: what FileWatch::add_directory tells of.
std::vector<std::string> sources_in(const std::string& path);

class FileWatch {
 public:
  /// After the last event of a file.
  static constexpr int64_t quiet_ms = 50;
  /// A file that is written to without end is looked at all the same.
  static constexpr int64_t longest_wait_ms = 1000;

  static Expected<std::unique_ptr<FileWatch>> create();

  /// Watches a file, which need not be there yet; the directory that it is in has to be. A link's target is watched as
  /// well. Saves are told under this very name.
  Expected<void> add_file(const std::string& path);
  /// Watches all files NAME.c in a directory, also those to come; they are told as "path/NAME.c".
  Expected<void> add_directory(const std::string& path);
  /// Tells of this file no more, unless its directory is watched.
  void remove_file(const std::string& path);

  /// Readable when something has happened: then call read_events.
  int fd() const { return events_.get(); }
  /// `now_ms` here and below is of CLOCK_MONOTONIC.
  void read_events(int64_t now_ms);
  /// How long until something is due; negative: nothing is, until there is another event.
  int time_to_wait_ms(int64_t now_ms) const;
  /// The files that have been left alone since they were last touched, each once, sorted. They may be gone.
  std::vector<std::string> take_saved(int64_t now_ms);

 private:
  struct Directory {
    std::string path;
    bool tells_all = false;                              // of its *.c
    std::map<std::string, std::set<std::string>> names;  // of a file in it: the names that it is told under
  };
  struct Touched {
    int64_t first_ms, last_ms;
  };

  explicit FileWatch(UniqueFd events) : events_(std::move(events)) {}
  Expected<Directory*> watch(const std::string& directory);
  void watch_target(const std::string& path);
  void touch(const Directory& directory, const std::string& name, bool begins, int64_t now_ms);
  void touch_all(const Directory& directory, int64_t now_ms);
  void look_for_lost(int64_t now_ms);

  const UniqueFd events_;
  std::map<int, Directory> directories_;  // by watch descriptor
  std::vector<Directory> lost_;           // those that are gone; they may come back
  int64_t next_look_ms_ = 0;              // for those
  std::map<std::string, Touched> touched_;
};

}  // namespace cweb::cli
