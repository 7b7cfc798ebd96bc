// What `cweb watch` was told to watch: files, directories, and lists of files. Reads directories and lists; deploys
// nothing.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/file_watch.h"

namespace cweb::cli {

class WatchTargets {
 public:
  /// `arguments` are files, directories (all NAME.c in them) and NAME.ini; none of them: routes.ini of the working
  /// directory. Fails when one is neither, or a list cannot be read. `ask` is what is said where there is nothing:
  /// "name what to watch: cweb watch FILE...".
  static Expected<WatchTargets> find(const std::vector<std::string>& arguments, const std::string& ask);

  /// The server that the first list which names one names now; empty: none does.
  const std::string& server_url() const { return server_url_; }
  /// All files as they are now, each once, in the order in which they were named.
  const std::vector<std::string>& files() const { return files_; }

  Expected<void> add_to(FileWatch& watch) const;

  bool is_list(const std::string& path) const { return lists_.contains(path); }
  /// Reads a list anew, and watches what it lists now. The files that are new; fails, and changes nothing, when the
  /// list cannot be read.
  Expected<std::vector<std::string>> read_again(const std::string& list, FileWatch& watch);
  /// A file that came into a watched directory is one of them from here on.
  void note(const std::string& file) { add(file); }

 private:
  Expected<void> add_argument(const std::string& argument);
  Expected<void> add_list(const std::string& path);
  bool add(const std::string& file);
  void take_server(const std::string& list, const std::string& url);

  std::vector<std::string> files_;
  std::set<std::string> named_;  // by an argument of their own
  std::vector<std::string> directories_;
  std::map<std::string, std::vector<std::string>> lists_;  // what each lists
  std::string server_url_, server_list_;                   // and the list that names it
};

}  // namespace cweb::cli
