// Which server a command speaks to, and with which key: what the user said, the environment, routes.ini, the saved
// keys.
#pragma once

#include <string>

#include "cli/client.h"
#include "cli/client_options.h"

namespace cweb::cli {

/// Is a server named by --server or CWEB_SERVER, so that no ini is asked?
bool names_server(const ServerWish& wish);

/// The first that names one: --server, CWEB_SERVER, what the ini has, http://localhost:8080. `ini_url` is empty when
/// none has any; it is a URL of parse_server_url.
Expected<std::string> choose_server(const ServerWish& wish, const std::string& ini_url);

/// The server with its key: --key, CWEB_ADMIN_KEY (which is taken out of the environment), what was saved for it. No
/// other thread may run.
Expected<ServerAddress> choose_address(const ServerWish& wish, const std::string& ini_url);

/// A line on standard error when the key would travel without TLS to another machine.
void warn_of_open_key(const ServerAddress& address);

}  // namespace cweb::cli
