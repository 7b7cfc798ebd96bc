// `cweb login`: a key that opens the server is saved for it.
#pragma once

#include "cli/client_options.h"

namespace cweb::cli {

/// The exit code. `server_url` is one of parse_server_url.
int run_login(const ServerWish& wish, const std::string& server_url, bool json);

}  // namespace cweb::cli
