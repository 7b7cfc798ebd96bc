#include "net/peer_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace cweb::net {
namespace {

PeerAddress ipv4(const char* text, uint16_t port = 1) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1) << text;
  return PeerAddress::from(storage);
}

PeerAddress ipv6(const char* text, uint16_t port = 1) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1) << text;
  return PeerAddress::from(storage);
}

TEST(PeerAddressTest, ReadsAsPeopleWriteIt) {
  EXPECT_EQ(ipv4("192.0.2.1").text(), "192.0.2.1");
  EXPECT_EQ(ipv4("0.0.0.0").text(), "0.0.0.0");
  EXPECT_EQ(ipv6("2001:db8::1").text(), "2001:db8::1");
  EXPECT_EQ(ipv6("::1").text(), "::1");
}

TEST(PeerAddressTest, AnIpv4PeerOfAnIpv6SocketIsTheSamePeer) {
  const PeerAddress mapped = ipv6("::ffff:192.0.2.1");
  EXPECT_TRUE(mapped.is_ipv4());
  EXPECT_EQ(mapped.text(), "192.0.2.1");
  EXPECT_EQ(mapped.bytes(), ipv4("192.0.2.1").bytes());
  EXPECT_FALSE(ipv6("2001:db8::1").is_ipv4());
  EXPECT_FALSE(ipv6("::192.0.2.1").is_ipv4());
}

TEST(PeerAddressTest, LoopbackIsTheWholeNetOfIpv4AndOneAddressOfIpv6) {
  for (const char* address : {"127.0.0.1", "127.0.0.0", "127.255.255.255"}) {
    EXPECT_TRUE(ipv4(address).is_loopback()) << address;
  }
  for (const char* address : {"126.255.255.255", "128.0.0.0", "0.0.0.0", "192.0.2.127", "1.0.0.127"}) {
    EXPECT_FALSE(ipv4(address).is_loopback()) << address;
  }
  for (const char* address : {"::1", "::ffff:127.0.0.1", "::ffff:127.9.9.9"}) {
    EXPECT_TRUE(ipv6(address).is_loopback()) << address;
  }
  for (const char* address : {"::", "::2", "::127.0.0.1", "fe80::1", "::ffff:128.0.0.1", "::fffe:127.0.0.1"}) {
    EXPECT_FALSE(ipv6(address).is_loopback()) << address;
  }
}

TEST(PeerAddressTest, KeepsThePort) {
  EXPECT_EQ(ipv4("192.0.2.1", 54'321).port(), 54'321);
  EXPECT_EQ(ipv6("2001:db8::1", 54'321).port(), 54'321);
}

TEST(PeerAddressTest, WhatIsNoInternetAddressIsNobody) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  for (const PeerAddress& nobody : {PeerAddress(), PeerAddress::from(storage)}) {
    EXPECT_FALSE(nobody.is_loopback());
    EXPECT_EQ(nobody.text(), "::");
    EXPECT_EQ(nobody.port(), 0);
  }
}

}  // namespace
}  // namespace cweb::net
