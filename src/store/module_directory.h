// The directory that modules are kept in, one file each: read, replaced and removed so that at any moment, after a
// crash or a power failure too, each file is there whole in its old or its new version. Knows files and nothing of what
// is in them. Blocks its caller.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "store/files.h"

namespace cweb::store {

/// Thread-safe as long as each file is one thread's at a time.
class ModuleDirectory {
 public:
  /// Opens the directory, or makes it where its parent is there, takes away what a crash left in the making, and holds
  /// it against other servers until this object is gone. `longest` in bytes, of a file.
  static Expected<std::unique_ptr<ModuleDirectory>> open(const std::string& path, size_t longest);

  const std::string& path() const { return path_; }
  int fd() const { return directory_.get(); }
  /// Why nothing can be written there; empty when it can.
  const std::string& why_read_only() const { return why_read_only_; }

  /// Names of the files that hold modules, sorted.
  FileResult<std::vector<std::string>> files() const;
  FileResult<std::string> read(const std::string& file) const;

  /// A text that is on the disk under a temporary name, which goes with this object.
  class Staged {
   public:
    Staged(Staged&& other) noexcept;
    Staged& operator=(Staged&&) = delete;
    ~Staged();

   private:
    friend class ModuleDirectory;
    Staged(int directory, std::string name, std::string hash)
        : directory_(directory), name_(std::move(name)), hash_(std::move(hash)) {}
    int directory_;  // -1 when moved from
    std::string name_;
    std::string hash_;
  };
  FileResult<Staged> stage(std::string_view text, const std::string& hash) const;

  /// Is the file as it is expected: with a content of this SHA-256, or not there? A file that is not there though it is
  /// expected is fine: nothing is lost by writing it.
  FileResult<void> check(const std::string& file, const std::optional<std::string>& expected_hash) const;

  /// Puts the staged text in the file's place. When it returns that has outlived a power failure; when it fails, the
  /// directory is as it was. Looks once more at what it replaced, so that an edit of the last moment is not lost.
  FileResult<void> put(const Staged& staged, const std::string& file,
                       const std::optional<std::string>& expected_hash) const;

  /// Takes the file away, in the same way, and looks once more at what it took. Nothing when it is not there.
  FileResult<void> remove(const std::string& file, const std::string& expected_hash) const;

 private:
  ModuleDirectory(std::string path, UniqueFd directory, size_t longest)
      : path_(std::move(path)), directory_(std::move(directory)), longest_(longest) {}
  Expected<void> lock() const;
  void clean_up();
  bool is_link(const std::string& file) const;
  FileResult<void> put_new(const Staged& staged, const std::string& file) const;
  FileResult<void> put_in_place(const Staged& staged, const std::string& file, const std::string& expected_hash) const;

  const std::string path_;
  const UniqueFd directory_;
  const size_t longest_;
  std::string why_read_only_;
};

}  // namespace cweb::store
