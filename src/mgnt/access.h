// Who may use /mgnt. Whoever may post a module owns the account that the server runs as, so this is the lock on the
// door. A pure function of the request, on any thread; what the call does must not go in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/management.h"

namespace cweb::mgnt {

/// Is this the value of a Host header that names the loopback interface: localhost, 127.0.0.0/8 or [::1], with or
/// without a port?
bool is_loopback_host(std::string_view host);

/// Null when the request may go on; else one sentence that says why not, for a 403.
///
/// A web page in the developer's own browser can send a POST here without asking (a "simple" cross-origin request), so
/// a loopback peer alone proves nothing: Origin and Sec-Fetch-Site say who the browser sends for, and a Host that is
/// not a loopback name is a page whose name was made to resolve to this machine.
std::optional<std::string> refuse(const server::ManagementRequest& request);

}  // namespace cweb::mgnt
