// `cweb logs`: what modules have printed, and what has happened to them.
#pragma once

#include "cli/client.h"
#include "cli/client_options.h"

namespace cweb::cli {

/// Prints what is kept, and with --follow goes on until Ctrl-C, also over a server that goes and comes back. The exit
/// code. No other thread may run.
int run_logs(Client& client, const ClientCommand& command);

}  // namespace cweb::cli
