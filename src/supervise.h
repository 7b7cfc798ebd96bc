// The other way to run: as the parent of the server's process. Main thread.
#pragma once

#include "cli/options.h"

namespace cweb {

/// Binds the sockets, takes the keys, runs the server in a process of its own, and in another one when that dies.
/// `arguments` are main's. The answer is the exit code.
int supervise(char** arguments, const cli::ServeOptions& options);

}  // namespace cweb
