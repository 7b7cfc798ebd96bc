// `cweb --version`.
#pragma once

#include <string>

namespace cweb::cli {

/// What is not the command line's to know.
struct CompilerFacts {
  std::string llvm;       ///< its version
  std::string processor;  ///< that modules are compiled for, as Clang names it
};

/// Whole lines.
std::string version_text(const CompilerFacts& compiler);

}  // namespace cweb::cli
