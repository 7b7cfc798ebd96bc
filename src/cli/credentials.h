// The file of keys, which `cweb login` writes: ~/.config/cweb/credentials, a line for each server. A key belongs to one
// scheme, host and port, and is given for no other.
#pragma once

#include <string>

#include "base/error.h"

namespace cweb::cli {

/// Where it is: below XDG_CONFIG_HOME or ~/.config. Fails when the environment names no home.
Expected<std::string> credentials_path();

/// The key of this server, a URL of parse_server_url; empty when the file or its line is not there. Fails for a file
/// that others than its owner may read, or that cannot be read.
Expected<std::string> saved_key(const std::string& path, const std::string& server_url);

/// Puts the key in place of what is there for this server, and leaves the others. The file is replaced as a whole, is
/// its owner's alone, and its directory is made. Processes that do so at once wait for each other.
Expected<void> save_key(const std::string& path, const std::string& server_url, const std::string& key);

/// What is wrong with a text as a key, in a sentence; empty when nothing is.
std::string key_fault(const std::string& key);

}  // namespace cweb::cli
