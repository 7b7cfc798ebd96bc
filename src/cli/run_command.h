// `cweb run`: a server for one file in this terminal. It is deployed at every save, what it prints is shown, and with
// Ctrl-C all of it is gone.
#pragma once

#include "cli/client_options.h"

namespace cweb::cli {

/// The exit code: 0 after Ctrl-C. No other thread may run.
int run_own(const ClientCommand& command);

}  // namespace cweb::cli
