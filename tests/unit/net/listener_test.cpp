#include "net/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

namespace cweb::net {
namespace {

UniqueFd connect_to(uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket;
}

TEST(ListenerTest, PicksAPortThatAllSocketsShare) {
  const auto listeners = listen_on("127.0.0.1", 0, 3);
  ASSERT_TRUE(listeners) << listeners.error().message;
  EXPECT_EQ(listeners->sockets.size(), 3U);
  EXPECT_NE(listeners->port, 0);
}

TEST(ListenerTest, APortThatIsTakenIsAnErrorThatNamesIt) {
  const auto first = listen_on("127.0.0.1", 0, 2);
  ASSERT_TRUE(first);
  const auto second = listen_on("127.0.0.1", first->port, 2);
  ASSERT_FALSE(second) << "two servers share a port without a word";
  EXPECT_NE(second.error().message.find(std::to_string(first->port)), std::string::npos) << second.error().message;
}

TEST(ListenerTest, APortIsFreeAgainWhenItsListenersAreGone) {
  uint16_t port = 0;
  {
    const auto first = listen_on("127.0.0.1", 0, 2);
    ASSERT_TRUE(first);
    port = first->port;
  }
  EXPECT_TRUE(listen_on("127.0.0.1", port, 2));
}

TEST(ListenerTest, AHostThatIsNotOursIsAnErrorThatNamesIt) {
  const auto listeners = listen_on("203.0.113.7", 0, 1);
  ASSERT_FALSE(listeners);
  EXPECT_NE(listeners.error().message.find("203.0.113.7"), std::string::npos);
  EXPECT_FALSE(listen_on("no such host", 0, 1));
}

TEST(ListenerTest, AcceptsNonBlockingSocketsOfLoopbackPeers) {
  const auto listeners = listen_on("127.0.0.1", 0, 1);
  ASSERT_TRUE(listeners);
  const int listener = listeners->sockets[0].get();
  EXPECT_EQ(accept_from(listener).status, Accepted::Status::none_waiting);
  const UniqueFd client = connect_to(listeners->port);
  pollfd waiting{listener, POLLIN, 0};
  ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
  const Accepted accepted = accept_from(listener);
  ASSERT_EQ(accepted.status, Accepted::Status::connection);
  EXPECT_TRUE(accepted.peer.is_loopback());
  char byte = 0;
  EXPECT_EQ(recv(accepted.socket.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(ListenerTest, ListensOnIpv6LoopbackOrSaysThatItCannot) {
  const auto listeners = listen_on("::1", 0, 1);
  if (listeners) {
    EXPECT_NE(listeners->port, 0);
  } else {
    EXPECT_NE(listeners.error().message.find("::1"), std::string::npos) << listeners.error().message;
  }
}

TEST(ListenerTest, AllAddressesAreThoseOfIpv4AsWell) {
  const auto listeners = listen_on(host_of_all_addresses(), 0, 1);
  ASSERT_TRUE(listeners) << listeners.error().message;
  connect_to(listeners->port);
}

}  // namespace
}  // namespace cweb::net
