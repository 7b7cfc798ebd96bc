// Files below an open directory, as the store reads and writes them: errors as values with their errno. Blocks its
// caller, so never on a loop's thread. Keeps nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace cweb::store {

struct FileError {
  enum class Kind {
    system,   ///< a call failed: `number` says how
    changed,  ///< somebody else has changed the file meanwhile
    link,     ///< a symbolic link is not written through
  };
  int number = 0;  ///< errno
  Kind kind = Kind::system;
};

template <class T>
using FileResult = std::expected<T, FileError>;

inline std::unexpected<FileError> file_error(int number) {
  return std::unexpected(FileError{.number = number, .kind = FileError::Kind::system});
}

/// "No space left on device".
std::string describe(int number);

/// `at` may be AT_FDCWD. The directory is made, with this mode and without parents, when `mode` is not 0.
FileResult<UniqueFd> open_directory(int at, const std::string& name, unsigned mode = 0);

/// The names in it, sorted by their bytes, without "." and "..".
FileResult<std::vector<std::string>> names_in(int directory);

/// The content of a regular file, or of the one that a link leads to when `follow` is set. EFBIG beyond `longest`;
/// ENOENT when there is none; EISDIR and EINVAL for what is no file.
FileResult<std::string> read_file(int directory, const std::string& name, size_t longest, bool follow = true);

/// Makes a file that must not be there, writes it, and with `sync` waits until it is on the disk. What was written is
/// taken away again when that fails.
FileResult<void> write_new_file(int directory, const std::string& name, std::string_view text, unsigned mode,
                                bool sync);

/// From here on what was made, renamed or removed in the directory outlives a power failure.
FileResult<void> sync_directory(int directory);

/// A name for a file that is in the making. Different each time, hidden, and no module's.
std::string temporary_name();
bool is_temporary(std::string_view name);

}  // namespace cweb::store
