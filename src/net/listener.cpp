#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>
#include <memory>

namespace cweb::net {
namespace {

constexpr int backlog = 4096;

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string place(const std::string& host, uint16_t port) {
  return host + ":" + std::to_string(port);
}

Expected<UniqueFd> make_socket(const addrinfo& address) {
  UniqueFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(std::string("a socket could not be made: ") + std::strerror(errno));
  const int on = 1, off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "::" is IPv4's addresses as well, whatever the system's default.
  if (address.ai_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  return fd;
}

Expected<void> bind_to(int fd, const addrinfo& address, const std::string& where) {
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno == EADDRINUSE) return fail("cannot listen on " + where + ": the port is taken by another program");
  return fail("cannot listen on " + where + ": " + std::strerror(errno));
}

uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

void set_port(addrinfo& address, uint16_t port) {
  if (address.ai_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address.ai_addr)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(address.ai_addr)->sin_port = htons(port);
  }
}

}  // namespace

std::string host_of_all_addresses() {
  // There may be sockets of the family while no device has an address of it.
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const UniqueFd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool has_ipv6 = fd && bind(fd.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
  return has_ipv6 ? "::" : "0.0.0.0";
}

Expected<Listeners> listen_on(const std::string& host, uint16_t port, size_t count) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) return fail("cannot listen on " + place(host, port) + ": " + gai_strerror(error));
  const Addresses addresses(found);

  // With SO_REUSEPORT from the start, a second server of the same user would silently get half of the connections: the
  // first bind is exclusive, and only then is the port opened to our own other sockets.
  auto first = make_socket(*found);
  if (!first) return std::unexpected(first.error());
  if (auto bound = bind_to(first->get(), *found, place(host, port)); !bound) return std::unexpected(bound.error());
  Listeners listeners;
  listeners.port = port_of(first->get());
  set_port(*found, listeners.port);
  first->reset();

  const int on = 1;
  for (size_t i = 0; i < count; ++i) {
    auto socket = make_socket(*found);
    if (!socket) return std::unexpected(socket.error());
    if (count > 1) setsockopt(socket->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (auto bound = bind_to(socket->get(), *found, place(host, listeners.port)); !bound) {
      return std::unexpected(bound.error());
    }
    if (listen(socket->get(), backlog) != 0) {
      return fail("cannot listen on " + place(host, listeners.port) + ": " + std::strerror(errno));
    }
    listeners.sockets.push_back(std::move(*socket));
  }
  return listeners;
}

Accepted accept_from(int listener) {
  sockaddr_storage peer{};
  for (;;) {
    socklen_t length = sizeof peer;
    // TCP_NODELAY is inherited from the listener.
    UniqueFd socket(accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) return {Accepted::Status::connection, std::move(socket), PeerAddress::from(peer)};
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return {Accepted::Status::out_of_descriptors, {}, {}};
    }
    // A connection that died before it was accepted: look at the next one.
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    return {Accepted::Status::none_waiting, {}, {}};
  }
}

}  // namespace cweb::net
