// Every combination of what the rules of /mgnt look at, against answers that are written down in another way than the
// code decides them: each value of a header says of itself whether a page of our own could have sent it, and a table
// says what place and key make of the rest.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "mgnt/access.h"
#include "peers.h"

namespace cweb::mgnt {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr const char* right_key = "the-right-key-it-is";
constexpr const char* reader_key = "the-key-for-reading-only";
constexpr const char* gateway = "172.17.0.1";

/// A value of one dimension: the header lines, and whether any request with it is refused whatever else it says.
/// "{HOST}" stands for the first Host of the request.
struct Value {
  const char* name;
  Headers lines;
  bool shut_out = false;
};

const std::vector<Value> hosts = {
    {"localhost", {{"Host", "localhost:8080"}}},
    {"ipv6", {{"Host", "[::1]:8080"}}},
    {"admin host", {{"Host", "admin.example"}}},
    {"foreign", {{"Host", "foreign.example:8080"}}, true},
    {"no host", {}, true},
    {"two hosts", {{"Host", "localhost:8080"}, {"Host", "localhost:8080"}}, true},
};
const std::vector<Value> origins = {
    {"no origin", {}},
    {"own origin", {{"Origin", "http://{HOST}"}}},
    {"other port", {{"Origin", "http://localhost:3000"}}, true},
    {"other scheme", {{"Origin", "https://{HOST}"}}, true},
    {"other site", {{"Origin", "http://evil.example"}}, true},
    {"null origin", {{"Origin", "null"}}, true},
    {"two origins", {{"Origin", "http://{HOST}"}, {"Origin", "http://{HOST}"}}, true},
};
const std::vector<Value> fetch_sites = {
    {"no site", {}},
    {"same-origin", {{"Sec-Fetch-Site", "same-origin"}}},
    {"none", {{"Sec-Fetch-Site", "none"}}},
    {"same-site", {{"Sec-Fetch-Site", "same-site"}}, true},
    {"cross-site", {{"Sec-Fetch-Site", "cross-site"}}, true},
    {"unknown site", {{"Sec-Fetch-Site", "friend"}}, true},
    {"two sites", {{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Site", "none"}}, true},
};

/// The rows of the table below: only what is near may do without a key.
enum Place { near, from_gateway, far };
struct From {
  const char* name;
  const char* peer;
  Headers lines;
  Place place;
};
const std::vector<From> froms = {
    {"loopback", "127.0.0.1", {}, near},
    {"ipv6 loopback", "::1", {}, near},
    {"mapped loopback", "::ffff:127.0.0.1", {}, near},
    {"loopback, Forwarded", "127.0.0.1", {{"Forwarded", "for=127.0.0.1"}}, far},
    {"loopback, X-Forwarded-For", "127.0.0.1", {{"X-Forwarded-For", "127.0.0.1"}}, far},
    {"loopback, X-Forwarded-Proto", "::1", {{"x-forwarded-proto", "http"}}, far},
    {"loopback, Via", "127.0.0.1", {{"Via", "1.1 localhost"}}, far},
    {"loopback, X-Real-IP", "127.0.0.1", {{"X-Real-IP", "127.0.0.1"}}, far},
    {"gateway", gateway, {}, from_gateway},
    {"gateway, mapped", "::ffff:172.17.0.1", {}, from_gateway},
    {"gateway, Forwarded", gateway, {{"Forwarded", "for=127.0.0.1"}}, far},
    {"gateway, Via", gateway, {{"Via", "1.1 a"}}, far},
    {"beside the gateway", "172.17.0.2", {}, far},
    {"private network", "192.168.1.2", {}, far},
    {"private network, Via", "192.168.1.2", {{"Via", "1.1 a"}}, far},
    {"world", "2001:db8::1", {}, far},
};

/// The columns of the table below.
enum Sent { nothing, wrong, right, reader, two };
struct Key {
  const char* name;
  Headers lines;
  Sent sent;
};
const std::vector<Key> keys = {
    {"no key", {}, nothing},
    {"basic", {{"Authorization", std::string("Basic ") + right_key}}, nothing},
    {"wrong bearer", {{"Authorization", "Bearer wrong"}}, wrong},
    {"wrong api key", {{"X-API-Key", "wrong"}}, wrong},
    {"empty api key", {{"X-API-Key", ""}}, wrong},
    {"right bearer", {{"Authorization", std::string("bearer ") + right_key}}, right},
    {"right api key", {{"X-API-Key", right_key}}, right},
    {"right api key, basic", {{"X-API-Key", right_key}, {"Authorization", "Basic dTpw"}}, right},
    {"reader's bearer", {{"Authorization", std::string("Bearer ") + reader_key}}, reader},
    {"reader's api key", {{"X-API-Key", reader_key}}, reader},
    {"right and reader's", {{"X-API-Key", reader_key}, {"Authorization", std::string("Bearer ") + right_key}}, two},
    {"right both ways", {{"X-API-Key", right_key}, {"Authorization", std::string("Bearer ") + right_key}}, two},
    {"right twice", {{"X-API-Key", right_key}, {"X-API-Key", right_key}}, two},
};

/// Of the table below: the call is let in when it reads.
constexpr int if_it_reads = 0;

struct Mode {
  const char* name;
  AccessOptions options;
  int answers[3][5];  ///< the status, by place and by what was sent: nothing, wrong, right, reader's, two
};

AccessOptions with(AccessOptions options) {
  options.admin_hosts = {"admin.example"};
  return options;
}

const std::vector<Mode> modes = {
    {"development, no key",
     with({}),
     {{200, 200, 200, 200, 403}, {403, 403, 403, 403, 403}, {403, 403, 403, 403, 403}}},
    {"development, no key, trusted gateway",
     with({.trusted_gateways = {peer_at("10.0.2.2"), peer_at(gateway)}}),
     {{200, 200, 200, 200, 403}, {200, 200, 200, 200, 403}, {403, 403, 403, 403, 403}}},
    {"development, key",
     with({.admin_key = right_key}),
     {{401, 401, 200, 401, 403}, {401, 401, 200, 401, 403}, {401, 401, 200, 401, 403}}},
    {"development, both keys, trusted gateway",
     with({.admin_key = right_key, .read_key = reader_key, .trusted_gateways = {peer_at(gateway)}}),
     {{401, 401, 200, if_it_reads, 403}, {401, 401, 200, if_it_reads, 403}, {401, 401, 200, if_it_reads, 403}}},
    {"production, key",
     with({.production = true, .admin_key = right_key}),
     {{401, 401, 200, 401, 403}, {401, 401, 200, 401, 403}, {401, 401, 200, 401, 403}}},
    {"production, both keys",
     with({.production = true, .admin_key = right_key, .read_key = reader_key}),
     {{401, 401, 200, if_it_reads, 403}, {401, 401, 200, if_it_reads, 403}, {401, 401, 200, if_it_reads, 403}}},
    // Production without a key, and production that trusts a gateway, do not start.
};

void add(Headers& headers, const Headers& lines) {
  for (auto [name, value] : lines) {
    const size_t mark = value.find("{HOST}");
    if (mark != std::string::npos) value.replace(mark, 6, headers.empty() ? "localhost:8080" : headers.front().second);
    headers.emplace_back(std::move(name), std::move(value));
  }
}

TEST(AccessTable, every_combination_has_the_answer_that_the_rules_give_it) {
  size_t rows = 0, admitted = 0, differing = 0;
  std::vector<std::pair<Key, const char*>> calls;
  for (const Key& key : keys) {
    for (const char* method : {"GET", "POST"}) calls.emplace_back(key, method);
  }
  for (const Mode& mode : modes) {
    const auto access = Access::create(mode.options);
    ASSERT_TRUE(access);
    std::chrono::nanoseconds time = std::chrono::hours(1);
    for (const Value& host : hosts)
      for (const Value& origin : origins)
        for (const Value& site : fetch_sites)
          for (const From& from : froms)
            for (const auto& [key, method] : calls) {
              server::ManagementRequest request;
              request.method = method;
              request.path = "/mgnt";
              request.peer = peer_at(from.peer);
              add(request.headers, host.lines);
              add(request.headers, origin.lines);
              add(request.headers, site.lines);
              add(request.headers, from.lines);
              add(request.headers, key.lines);

              const bool shut_out = host.shut_out || origin.shut_out || site.shut_out;
              int expected = shut_out ? 403 : mode.answers[from.place][key.sent];
              if (expected == if_it_reads) expected = request.method == "GET" ? 200 : 403;
              time += std::chrono::minutes(2);  // no row waits for the wrong keys of others
              const Admission got = (*access)->admit(request, time);
              ++rows;
              if (got.admitted()) ++admitted;
              if (got.status == expected && got.admitted() == (expected == 200)) continue;
              if (++differing > 20) continue;
              ADD_FAILURE() << mode.name << "; " << host.name << "; " << origin.name << "; " << site.name << "; "
                            << from.name << "; " << key.name << ": " << got.status << " instead of " << expected;
            }
  }
  EXPECT_EQ(differing, 0U);
  EXPECT_EQ(rows, 6 * 6 * 7 * 7 * 16 * 26U);
  // Three Hosts, two Origins, three sites: 18 that no page spoils. Without a key, 3 near peers with two calls for each
  // of 10 keys, and 2 gateways where they are trusted; with one, in four modes, 16 peers with 3 right keys, and in two
  // of them with the reader's 2 keys for a GET.
  EXPECT_EQ(admitted, 18 * (3 * 20 + 5 * 20 + 4 * 16 * 6 + 2 * 16 * 2U));
}

}  // namespace
}  // namespace cweb::mgnt
