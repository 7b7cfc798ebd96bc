// The address of a server as people write it. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cweb::cli {

/// Where a server is when nobody says anything else.
inline constexpr const char* default_server_url = "http://localhost:8080";

/// "https://Example.com/mgnt/" -> "https://example.com:443": scheme, host and port, in the one form in which servers
/// are compared. Takes the base or the URL of /mgnt. The sentence of a failure says what is wrong with the text.
Expected<std::string> parse_server_url(std::string_view text);

/// Does it lead to this machine, whatever a name server says? For URLs that parse_server_url has made.
bool is_loopback_url(std::string_view url);

/// The host alone: "example.com", "[::1]".
std::string_view host_of_url(std::string_view url);

bool is_https_url(std::string_view url);

/// All but letters, digits and -._~ as %XX: for a part of a path.
std::string percent_encoded(std::string_view text);

}  // namespace cweb::cli
