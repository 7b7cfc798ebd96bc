// `cweb watch`: every save is deployed, and what the modules say and suffer meanwhile is shown.
#pragma once

#include "cli/client.h"
#include "cli/interrupts.h"
#include "cli/watch_targets.h"

namespace cweb::cli {

/// Deploys what there is and then every save, until an interrupt comes. The exit code: 0 after Ctrl-C, 1 when it cannot
/// begin: the server does not answer, or nothing can be watched. `end_fd` ends it too when it is readable; -1: there is
/// none.
int run_watch(Client& client, WatchTargets targets, const Interrupts& interrupts, int end_fd = -1);

}  // namespace cweb::cli
