// Peer addresses from their text, for requests that no socket brought.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "net/peer_address.h"

namespace cweb::mgnt {

/// "127.0.0.1", "2001:db8::1".
inline net::PeerAddress peer_at(const std::string& address, uint16_t port = 40'000) {
  sockaddr_storage storage{};
  if (address.find(':') == std::string::npos) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    CWEB_ASSERT(inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1);
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    CWEB_ASSERT(inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) == 1);
  }
  return net::PeerAddress::from(storage);
}

}  // namespace cweb::mgnt
