// The file that the access log goes to: a file, a pipe, or standard output. A write that cannot be done now is never
// waited for.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace cweb::server {

/// Used by one thread.
class LogFile {
 public:
  /// Appends to `path`, made with mode 0640 if it is not there; "-" is standard output.
  static Expected<LogFile> open(const std::string& path);

  struct Written {
    size_t bytes = 0;
    int error = 0;  ///< errno of a write that failed; 0 with less than all: its reader does not take more now
  };
  Written write(std::span<const char> text);

  /// The path again, whatever it names now. Fails with the old file kept.
  Expected<void> reopen();

  const std::string& path() const { return path_; }

 private:
  LogFile(std::string path, UniqueFd fd);

  std::string path_;
  UniqueFd fd_;
  bool may_block_;  ///< it is no regular file, and its reader may stop reading
};

}  // namespace cweb::server
