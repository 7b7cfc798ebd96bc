// The addresses of the default gateways, as the kernel's routing tables have them. In a container whose port is
// published, the gateway is the machine that the container runs on.
#pragma once

#include <string_view>
#include <vector>

#include "net/peer_address.h"

namespace cweb::net {

/// Of IPv4 and IPv6, now. Empty when there is none.
std::vector<PeerAddress> default_gateways();

/// The gateways of the default routes in a text like that of /proc/net/route. Lines that are none are left out.
std::vector<PeerAddress> ipv4_gateways(std::string_view routes);
/// The same for /proc/net/ipv6_route.
std::vector<PeerAddress> ipv6_gateways(std::string_view routes);

}  // namespace cweb::net
