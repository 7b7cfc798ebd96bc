// What deploys, removals and rollbacks do to the directory of --modules, and what is known of the files in it: which
// module each holds, and what is wrong with it. Binds store/ to the deployer; compiles nothing and publishes nothing.
// Management threads and the start.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "mgnt/deploy_report.h"
#include "store/history.h"
#include "store/module_directory.h"
#include "store/object_cache.h"

namespace cweb::mgnt {

/// Why something cannot be kept, for the answer: 409 when somebody else has changed a file, 507 when there is no space,
/// 500 for the rest.
struct KeepFailure {
  int http_status = 500;
  std::string message;
};

/// Thread-safe, as long as each module is one thread's at a time: whoever acts on a module has entered its name
/// (deploy_lanes).
class ModuleKeeper {
 public:
  /// `fingerprint` is the compiler's; without one no object code is cached.
  static Expected<std::unique_ptr<ModuleKeeper>> open(const std::string& path,
                                                      const Expected<std::string>& fingerprint);

  /// A version on its way into the directory. Given up, it leaves nothing there.
  struct Intent {
    std::string module, hash, file;
    std::optional<store::ModuleDirectory::Staged> staged;  ///< empty: the file has this content already
    std::optional<std::string> expected_hash;              ///< of the file that it takes the place of
    bool replaces_failed = false;  ///< that file's content was never live: it goes to the history first
  };
  /// First half: what may fail for want of space or rights does so here, before code of the module runs. `from_file`
  /// names the file that the source was read from; empty for one that was posted.
  std::expected<Intent, KeepFailure> prepare(const std::string& module, const std::string& hash,
                                             std::string_view source, const std::string& from_file);
  /// Second half, when nothing but publishing is left to do: when it returns, a start finds this version. When it
  /// fails, everything is as before. The answer is the version's place in the history.
  std::expected<store::HistoryEntry, KeepFailure> commit(const Intent& intent, std::string_view source);
  /// Both, for a version that runs already.
  std::expected<store::HistoryEntry, KeepFailure> keep(const std::string& module, const std::string& hash,
                                                       std::string_view source, const std::string& from_file);

  /// Takes the module's file away; its history stays.
  std::optional<KeepFailure> remove(const std::string& module);

  /// Null when object code is not cached.
  const store::ObjectCache* cache() const { return cache_.get(); }

  std::vector<store::HistoryEntry> history(const std::string& module) const { return history_.entries(module); }
  /// The hash of the version that was live last; empty when there is none.
  std::string last_live(const std::string& module) const;
  /// The source of a version in the history.
  std::expected<std::string, KeepFailure> read_version(const std::string& module,
                                                       const store::HistoryEntry& entry) const;

  // What is known of the files, for the start and for directory_sync.

  const store::ModuleDirectory& directory() const { return *directory_; }
  /// Notes that the file has a content that could not be deployed, and why. True when that is news.
  bool note_failed(const std::string& file, const std::string& hash, const DeployReport& report);
  /// For a module that runs already, from a dead process's journal, though none of its files could be deployed: the
  /// file that is most likely its own keeps it from here on, as if that had failed while the module ran. True, too,
  /// when nobody can tell whose a file is. False: no file can be the module's.
  bool hold(const std::string& module, const std::string& keeps_serving);
  /// Forgets a file that is gone and serves no module.
  void forget(const std::string& file);
  bool is_there(const std::string& file) const;
  /// Has this very content been looked at?
  bool knows(const std::string& file, const std::string& hash) const;
  /// Would it come to the same to look at this content again? Not when what failed was no matter of the text: a full
  /// disk, no free thread, an onload that did not return.
  bool is_settled(const std::string& file, const std::string& hash) const;
  /// The module that is served from the file; empty when there is none.
  std::string module_of(const std::string& file) const;
  /// The file that the module is served from; empty when there is none.
  std::string file_of(const std::string& module) const;
  /// Names of files that were turned away for another file's sake, and may be welcome now.
  std::vector<std::string> turned_away() const;
  std::vector<std::string> known_files() const;
  std::set<std::string> kept_modules() const;
  /// Removes cache entries and histories that nothing needs.
  void clean_up();

  /// For GET /mgnt: an array with a row for each file. Messages may come with the source's lines.
  nlohmann::ordered_json files_json(bool with_source_lines) const;

 private:
  struct File {
    std::string module;   ///< that it holds; of a file that failed, as far as its text tells
    std::string hash;     ///< of the content that was seen or written last; empty when it could not be read
    bool serves = false;  ///< the module runs from this file, perhaps from an earlier content of it
    std::optional<DeployReport> failure;
  };
  using Files = std::map<std::string, File, std::less<>>;

  ModuleKeeper(std::unique_ptr<store::ModuleDirectory> directory, std::unique_ptr<store::ObjectCache> cache);
  std::expected<Intent, KeepFailure> choose_file_locked(Intent intent) const;
  Files::const_iterator file_of_locked(const std::string& module, bool serves) const;
  std::optional<KeepFailure> save_failed(const std::string& module, const std::string& file);
  KeepFailure failure_of(const store::FileError& error, const std::string& file, const char* what) const;

  const std::unique_ptr<store::ModuleDirectory> directory_;
  const std::unique_ptr<store::ObjectCache> cache_;
  store::History history_;
  mutable std::mutex mutex_;
  Files files_;  // guarded by mutex_
};

}  // namespace cweb::mgnt
