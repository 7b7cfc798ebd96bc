// The commands about what is deployed already: list, show, source, remove, history, rollback, restart. Each gives the
// exit code.
#pragma once

#include "cli/client.h"
#include "cli/client_options.h"

namespace cweb::cli {

int run_list(Client& client, const ClientCommand& command);
int run_show(Client& client, const ClientCommand& command);
int run_source(Client& client, const ClientCommand& command);
int run_remove(Client& client, const ClientCommand& command);
int run_history(Client& client, const ClientCommand& command);
int run_rollback(Client& client, const ClientCommand& command);
int run_restart(Client& client, const ClientCommand& command);

}  // namespace cweb::cli
