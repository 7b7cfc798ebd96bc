// What is deployed, kept in memory that outlives the server process: two files that the parent holds, one of which
// counts. Records are appended with checksums; nothing is mapped, so that no wild write reaches them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "supervisor/journal_record.h"

namespace cweb::supervisor {

/// Thread-safe. One process at a time writes. A record that cannot be written or read is a line in the log, and costs
/// its module the return after a restart and nothing else.
class DeployJournal {
 public:
  struct Options {
    /// A file beyond this, and beyond twice what is live in it, is written anew.
    size_t compact_above_bytes = size_t{16} << 20;
  };

  /// Reads what is there. Damaged records are left out and named in the log; so is a last one that was not finished.
  static Expected<std::unique_ptr<DeployJournal>> open(std::array<UniqueFd, 2> files, Options options);
  static Expected<std::unique_ptr<DeployJournal>> open(std::array<UniqueFd, 2> files) {
    return open(std::move(files), Options{});
  }

  struct Entry {
    std::string name;
    unsigned deaths = 0;  ///< of the server process, in calls of the module, since its last deploy
  };
  /// The modules that are deployed, in the order of their first coming.
  std::vector<Entry> modules() const;
  std::optional<DeployRecord> read(const std::string& name) const;

  void deployed(const DeployRecord& record);
  /// False when there is none of this name.
  bool removed(const std::string& name);
  /// The process before died in a call of this module. Nothing, when there is none of this name.
  void died_in(const std::string& name);
  /// A person has started the module again: what it did before is not held against it any more.
  void forgive(const std::string& name);

  /// For tests and whoever wonders.
  size_t file_bytes() const;

 private:
  struct Place {
    uint64_t order = 0;
    size_t offset = 0, bytes = 0;
    unsigned deaths = 0;
  };
  using Places = std::map<std::string, Place, std::less<>>;

  DeployJournal(std::array<UniqueFd, 2> files, Options options) : files_(std::move(files)), options_(options) {}

  void choose_file();
  bool write_file_head(size_t file, uint64_t generation) const;
  void scan();
  /// Reads the record at `offset` and takes it in. The bytes to go on by; 0 when there is none.
  size_t take_record_at(size_t offset, size_t file_end);
  size_t find_record(size_t offset, size_t file_end) const;
  void apply(RecordKind kind, const std::string& name, unsigned number, size_t offset, size_t bytes);
  void set_deaths(const std::string& name, Place& place, unsigned deaths);
  bool append(RecordKind kind, const DeployRecord& record);
  void compact_if_worth_it();
  bool copy_live_records(int from, int to, Places& places, size_t& end) const;
  int file() const { return files_[current_].get(); }

  const std::array<UniqueFd, 2> files_;
  const Options options_;
  mutable std::mutex mutex_;
  size_t current_ = 0;       // guarded by mutex_, as is all below
  uint64_t generation_ = 0;  // of the current file
  size_t end_ = 0;           // of its last whole record
  size_t live_bytes_ = 0;
  uint64_t next_order_ = 0;
  Places places_;
};

}  // namespace cweb::supervisor
