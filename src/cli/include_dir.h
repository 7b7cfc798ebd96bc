// Where cweb.h lies on this machine, for editors and for compilers other than the server's own, which has its headers
// inside.
#pragma once

#include <string>

#include "base/error.h"

namespace cweb::cli {

/// The directory with the cweb.h that belongs to the program at this path: PREFIX/include of PREFIX/bin/cweb, or the
/// source tree's own. Fails when there is none.
Expected<std::string> include_dir_of(const std::string& program);

/// The same of the running program.
Expected<std::string> include_dir();

/// `cweb include-dir`: prints it. The exit code.
int print_include_dir();

}  // namespace cweb::cli
