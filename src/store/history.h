// The last versions of each module, as files below .history in the modules' directory. Any thread; blocks its caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "store/files.h"

namespace cweb::store {

/// One version. Its file is called NUMBER-SHA256.c, or NUMBER-SHA256-saved.c when it was never live, so that looking
/// through a history reads no file; when it was deployed is the file's time.
struct HistoryEntry {
  uint64_t number = 0;  ///< counts the module's versions from 1
  std::string hash;     ///< SHA-256 of the source, hex
  std::string deployed_at;
  size_t bytes = 0;
  bool was_live = true;  ///< false: a text that could not be deployed, saved here before another took its place
};

/// Thread-safe. An entry is not waited for until it is on the disk: after a power failure the last ones may be missing
/// or damaged, which shows in their hash, and what is deployed is not kept here.
class History {
 public:
  static constexpr size_t most_versions = 20;
  /// Modules that are gone and whose history is still kept.
  static constexpr size_t most_gone = 100;

  /// `directory` is the modules', and outlives this object. Makes nothing as yet.
  explicit History(int directory, size_t longest) : directory_(directory), longest_(longest) {}

  /// The newest first; empty when there is nothing of this module.
  std::vector<HistoryEntry> entries(const std::string& module) const;

  /// Notes a version behind the others; nothing when it is the newest already. `entry` is what stands there now, and
  /// `is_new` whether that was written just now.
  struct Added {
    HistoryEntry entry;
    bool is_new = false;
  };
  FileResult<Added> add(const std::string& module, const std::string& hash, std::string_view source,
                        bool was_live = true);
  /// Takes back what was added.
  void drop(const std::string& module, const HistoryEntry& entry);
  /// Keeps the last versions, each source once of those that were live and once of the others.
  void prune(const std::string& module);

  /// The source of a version. EBADMSG when it is not what it was.
  FileResult<std::string> read(const std::string& module, const HistoryEntry& entry) const;

  /// Forgets the modules that are not there any more and went longest ago.
  void forget_gone(const std::set<std::string>& modules);

 private:
  FileResult<UniqueFd> open(const std::string& module, bool make) const;
  std::vector<HistoryEntry> entries_in(int history) const;

  const int directory_;
  const size_t longest_;
  mutable std::mutex mutex_;  ///< one writer at a time
};

}  // namespace cweb::store
