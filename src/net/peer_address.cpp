#include "net/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

namespace cweb::net {
namespace {

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<uint8_t, 16> ipv6_loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

}  // namespace

PeerAddress PeerAddress::from(const sockaddr_storage& address) {
  PeerAddress peer;
  if (address.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address);
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), peer.bytes_.begin());
    std::memcpy(peer.bytes_.data() + mapped_prefix.size(), &ipv4.sin_addr, sizeof ipv4.sin_addr);
    peer.port_ = ntohs(ipv4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(peer.bytes_.data(), &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
    peer.port_ = ntohs(ipv6.sin6_port);
  }
  return peer;
}

bool PeerAddress::is_ipv4() const {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

bool PeerAddress::is_loopback() const {
  return is_ipv4() ? bytes_[mapped_prefix.size()] == 127 : bytes_ == ipv6_loopback;
}

std::string PeerAddress::text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (!is_ipv4()) return inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  // A line of the access log has one: inet_ntop goes through printf.
  char* end = text;
  for (size_t i = mapped_prefix.size(); i < bytes_.size(); ++i) {
    if (i > mapped_prefix.size()) *end++ = '.';
    end = std::to_chars(end, std::end(text), bytes_[i]).ptr;
  }
  return {text, end};
}

}  // namespace cweb::net
