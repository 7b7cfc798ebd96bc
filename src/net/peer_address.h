// Where a connection comes from: 18 bytes a connection keeps for life, made into text only when somebody wants to read
// it.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

namespace cweb::net {

class PeerAddress {
 public:
  /// Nobody's: "::", port 0, not loopback.
  PeerAddress() = default;
  /// What accept() told. An address that is neither IPv4 nor IPv6 is nobody's.
  static PeerAddress from(const sockaddr_storage& address);

  /// Network byte order; IPv4 as ::ffff:a.b.c.d.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  uint16_t port() const { return port_; }
  bool is_ipv4() const;
  /// 127.0.0.0/8, as itself or mapped into IPv6, or ::1.
  bool is_loopback() const;
  bool has_address_of(const PeerAddress& other) const { return bytes_ == other.bytes_; }
  /// The address without the port, the way people write it: "192.0.2.1", "2001:db8::1".
  std::string text() const;

 private:
  std::array<uint8_t, 16> bytes_{};
  uint16_t port_ = 0;
};

}  // namespace cweb::net
