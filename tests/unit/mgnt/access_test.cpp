#include "mgnt/access.h"

#include <gtest/gtest.h>

namespace cweb::mgnt {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> refuse_with(Headers headers, bool peer_is_loopback = true) {
  server::ManagementRequest request;
  request.method = "POST";
  request.path = "/mgnt";
  request.headers = std::move(headers);
  request.peer_is_loopback = peer_is_loopback;
  return refuse(request);
}

TEST(LoopbackHost, is_localhost_127_or_ipv6_loopback_with_or_without_a_port) {
  for (const char* host : {"localhost", "localhost:8080", "LocalHost:1", "127.0.0.1", "127.0.0.1:80",
                           "127.255.0.3:65535", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
}

TEST(LoopbackHost, is_nothing_else) {
  for (const char* host : {"",
                           "example.com",
                           "localhost.example.com",
                           "localhost.",
                           "localhost:",
                           "localhost:x",
                           "localhost:99999",
                           "localhost:80:80",
                           "localhost ",
                           " localhost",
                           "user@localhost",
                           "127.0.0.1.example.com",
                           "127.0.0.1.",
                           "127.1",
                           "127.0.0",
                           "127.0.0.256",
                           "127.0.0.1.1",
                           "127.0.0.-1",
                           "128.0.0.1",
                           "10.0.0.1",
                           "0127.0.0.1",
                           "127..0.1",
                           "0.0.0.0",
                           "[::1",
                           "::1",
                           "[::2]",
                           "[::1]x",
                           "[::1].evil.com",
                           "[::ffff:127.0.0.1]",
                           "x[::1]",
                           "[localhost]"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(Access, curl_on_this_machine_may) {
  EXPECT_FALSE(refuse_with({{"Host", "localhost:8080"}, {"User-Agent", "curl"}, {"Accept", "*/*"}}));
  EXPECT_FALSE(refuse_with({{"host", "127.0.0.1:8080"}}));
}

TEST(Access, our_own_pages_may) {
  EXPECT_FALSE(refuse_with({{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}));
  EXPECT_FALSE(
      refuse_with({{"Host", "[::1]:8080"}, {"Origin", "http://[::1]:8080"}, {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_FALSE(refuse_with({{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "none"}}));
}

TEST(Access, nobody_else_may) {
  const Headers refused[] = {
      {},
      {{"Host", "example.com"}},
      {{"Host", "localhost"}, {"Host", "localhost"}},
      {{"Host", "localhost"}, {"Host", "example.com"}},
      {{"Host", "localhost:8080"}, {"Origin", "null"}},
      {{"Host", "localhost:8080"}, {"Origin", ""}},
      {{"Host", "localhost:8080"}, {"Origin", "http://evil.example"}},
      {{"Host", "localhost:8080"}, {"Origin", "https://localhost:8080"}},
      {{"Host", "localhost:8080"}, {"Origin", "http://localhost:3000"}},
      {{"Host", "localhost:8080"}, {"Origin", "http://localhost"}},
      {{"Host", "localhost:8080"}, {"Origin", "http://127.0.0.1:8080"}},
      {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}, {"origin", "http://evil.example"}},
      {{"Host", "evil.example"}, {"Origin", "http://evil.example"}},
      {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "cross-site"}},
      {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "same-site"}},
      {{"Host", "localhost:8080"}, {"sec-fetch-site", ""}},
      {{"Host", "localhost:8080"}, {"Via", "1.1 proxy"}},
      {{"Host", "localhost:8080"}, {"Forwarded", "for=10.0.0.1"}},
      {{"Host", "localhost:8080"}, {"X-Forwarded-For", "10.0.0.1"}},
      {{"Host", "localhost:8080"}, {"x-forwarded-proto", "https"}},
  };
  for (const Headers& headers : refused) {
    const auto refusal = refuse_with(headers);
    std::string shown;
    for (const auto& [name, value] : headers) shown += name + ": " + value + "\n";
    EXPECT_TRUE(refusal.has_value()) << shown;
  }
  EXPECT_TRUE(refuse_with({{"Host", "localhost:8080"}}, /*peer_is_loopback=*/false));
}

}  // namespace
}  // namespace cweb::mgnt
