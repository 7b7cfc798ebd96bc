// Random bytes that outlive the process: in a file that nobody else may read.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace cweb::store {

/// The `bytes` bytes of the file `name` in the directory, made the first time. Fails when the file cannot be made, or
/// is another user's, open to others, a link, or of another length: then it is left as it is.
Expected<std::string> read_or_make_secret(const std::string& directory, const std::string& name, size_t bytes);

}  // namespace cweb::store
