// Headers of real directories that the operator opened to modules, read into memory once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace cweb::jit {

struct IncludedFile {
  std::string path;  ///< absolute
  std::string text;
};

struct IncludeDirs {
  std::vector<std::string> directories;  ///< absolute, in the order of search
  std::vector<IncludedFile> files;
};

/// Reads every regular file below `directories`. Fails with a sentence that names the directory when it is missing, or
/// holds more than a header directory plausibly does.
Expected<IncludeDirs> read_include_dirs(const std::vector<std::string>& directories);

}  // namespace cweb::jit
