// Reading a whole file that is bounded: sources, ini files, keys. Any thread.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace cweb::cli {

/// Why a file is not read.
struct FileFault {
  std::string sentence;  ///< "counter.c: No such file or directory"
  int os_error = 0;      ///< errno; 0: it is longer than allowed, or no such file as is wanted
};

enum class FileKind {
  any,      ///< what can be read to an end: also a pipe, whose writer is waited for
  regular,  ///< what never makes its reader wait
};

/// The file's bytes; "-" is standard input. Fails for a directory. `status` is given what fstat(2) says of the file
/// that was read, when it is not null.
std::expected<std::string, FileFault> read_small_file(const std::string& path, size_t most_bytes,
                                                      FileKind kind = FileKind::any, struct stat* status = nullptr);

/// Each file once, by what it is and not by how it is called: ./a.c and a.c are one. What is not there is left to fail.
std::vector<std::string> without_repetition(const std::vector<std::string>& files);

}  // namespace cweb::cli
