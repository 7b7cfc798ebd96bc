// `cweb watch`: every save is deployed, and what the modules say and suffer meanwhile is shown.
#pragma once

#include "cli/client.h"
#include "cli/interrupts.h"
#include "cli/watch_targets.h"

namespace cweb::cli {

struct WatchedServer {
  int end_fd = -1;             ///< it has ended when this is readable, and so does the watch; -1: there is none
  bool named_by_list = false;  ///< a list that names another later is told of
};

/// Deploys what there is and then every save, until an interrupt comes. The exit code: 0 after Ctrl-C, 1 when it cannot
/// begin: the server does not answer, or nothing can be watched.
int run_watch(Client& client, WatchTargets targets, const Interrupts& interrupts, WatchedServer server);

}  // namespace cweb::cli
