// Listening sockets: one for each loop, sharing a port, so that the kernel spreads the connections.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "net/peer_address.h"

namespace cweb::net {

/// "::", which is every address of both families, where this machine has IPv6; else "0.0.0.0".
std::string host_of_all_addresses();

struct Listeners {
  std::vector<UniqueFd> sockets;  ///< `count` of them, listening and non-blocking
  uint16_t port = 0;              ///< the one asked for, or the one that the kernel picked for 0
};

/// Listens on host:port with `count` sockets. A port that somebody else listens on is an error, also where both sides
/// would share it.
Expected<Listeners> listen_on(const std::string& host, uint16_t port, size_t count);

/// What became of an attempt to accept.
struct Accepted {
  enum class Status { connection, none_waiting, out_of_descriptors };
  Status status;
  UniqueFd socket;  ///< non-blocking, with TCP_NODELAY
  PeerAddress peer;
};
Accepted accept_from(int listener);

}  // namespace cweb::net
