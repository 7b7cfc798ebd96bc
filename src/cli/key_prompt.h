// Asking for a key: on a terminal without showing what is typed, otherwise a line of standard input. Main thread.
#pragma once

#include <string>

#include "base/error.h"

namespace cweb::cli {

/// Writes the question to standard error when somebody is there to read it. A signal that ends the process ends it
/// after the terminal shows again what is typed.
Expected<std::string> ask_key(const std::string& question);

}  // namespace cweb::cli
