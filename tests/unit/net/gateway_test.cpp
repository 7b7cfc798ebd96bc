#include "net/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cweb::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<PeerAddress>& addresses) {
  std::vector<std::string> all;
  for (const PeerAddress& address : addresses) all.push_back(address.text());
  return all;
}

constexpr const char* ipv4_head =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

TEST(Gateway, of_ipv4_is_where_the_default_route_leads) {
  const std::string routes = std::string(ipv4_head) +
                             "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                             "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                             "eth1\t00000000\t0202000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
  EXPECT_THAT(texts(ipv4_gateways(routes)), ElementsAre("172.17.0.1", "10.0.2.2"));
}

TEST(Gateway, of_ipv4_is_none_without_a_default_route_through_one) {
  const std::string routes = std::string(ipv4_head) +
                             "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"  // no gateway
                             "eth0\t00000000\t00000000\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"  // of no address
                             "eth0\t0000000A\t0100000A\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n"  // not the default
                             "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"  // half of everything
                             "eth0\t00000000\t0100000A\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"  // not up
                             "eth0\t00000000\tzz00000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"  // no number
                             "eth0\t00000000\n\n";
  EXPECT_THAT(ipv4_gateways(routes), IsEmpty());
  EXPECT_THAT(ipv4_gateways(""), IsEmpty());
}

TEST(Gateway, of_ipv6_is_where_the_default_route_leads) {
  const std::string none(32, '0');
  const std::string routes =
      "fd000000000000000000000000000000 40 " + none + " 00 " + none + " 00000100 00000001 00000000 00000001 eth0\n" +
      none + " 00 " + none + " 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n" +  //
      none + " 00 " + none + " 00 " + none + " ffffffff 00000001 00000000 00200200 lo\n" +                        //
      none + " 60 " + none + " 00 fd000000000000000000000000000002 00000400 00000001 00000000 00000003 eth0\n";
  EXPECT_THAT(texts(ipv6_gateways(routes)), ElementsAre("fd00::1"));
  EXPECT_THAT(ipv6_gateways(none + " 00 " + none + " 00 fd01 00000400 1 0 00000003 eth0\n"), IsEmpty());
  EXPECT_THAT(ipv6_gateways(""), IsEmpty());
}

}  // namespace
}  // namespace cweb::net
