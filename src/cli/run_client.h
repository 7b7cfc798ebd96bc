// The client commands' table of contents: which server, a connection to it, the command.
#pragma once

#include "cli/client_options.h"

namespace cweb::cli {

/// The exit code: 0 done, 1 the call failed, 2 what was said cannot be meant. No other thread may run.
int run_client(const ClientCommand& command);

}  // namespace cweb::cli
