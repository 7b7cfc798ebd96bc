// Every combination of what the rules of /mgnt look at, against answers that are written down in another way than the
// code decides them: each value of a header says of itself whether a page of our own could have sent it, and a table of
// four columns says what the key makes of the rest.
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

/// Where it comes from; only what is `near` may do without a key.
struct From {
  const char* name;
  const char* peer;
  Headers lines;
  bool near;
};
const std::vector<From> froms = {
    {"loopback", "127.0.0.1", {}, true},
    {"ipv6 loopback", "::1", {}, true},
    {"mapped loopback", "::ffff:127.0.0.1", {}, true},
    {"loopback, Forwarded", "127.0.0.1", {{"Forwarded", "for=127.0.0.1"}}, false},
    {"loopback, X-Forwarded-For", "127.0.0.1", {{"X-Forwarded-For", "127.0.0.1"}}, false},
    {"loopback, X-Forwarded-Proto", "::1", {{"x-forwarded-proto", "http"}}, false},
    {"loopback, Via", "127.0.0.1", {{"Via", "1.1 localhost"}}, false},
    {"loopback, X-Real-IP", "127.0.0.1", {{"X-Real-IP", "127.0.0.1"}}, false},
    {"private network", "192.168.1.2", {}, false},
    {"private network, Via", "192.168.1.2", {{"Via", "1.1 a"}}, false},
    {"world", "2001:db8::1", {}, false},
};

/// The columns of the table below.
enum Sent { nothing, wrong, right, two };
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
    {"right both ways", {{"X-API-Key", right_key}, {"Authorization", std::string("Bearer ") + right_key}}, two},
    {"right twice", {{"X-API-Key", right_key}, {"X-API-Key", right_key}}, two},
};

struct Mode {
  const char* name;
  AccessOptions options;
  int near[4];  ///< the status, by what was sent: nothing, wrong, right, two
  int far[4];
};
const std::vector<Mode> modes = {
    {"development, no key", {.admin_hosts = {"admin.example"}}, {200, 200, 200, 403}, {403, 403, 403, 403}},
    {"development, key",
     {.admin_key = right_key, .admin_hosts = {"admin.example"}},
     {401, 401, 200, 403},
     {401, 401, 200, 403}},
    {"production, key",
     {.production = true, .admin_key = right_key, .admin_hosts = {"admin.example"}},
     {401, 401, 200, 403},
     {401, 401, 200, 403}},
    // Production without a key does not start.
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
  for (const Mode& mode : modes) {
    const auto access = Access::create(mode.options);
    ASSERT_TRUE(access);
    std::chrono::nanoseconds time = std::chrono::hours(1);
    for (const Value& host : hosts)
      for (const Value& origin : origins)
        for (const Value& site : fetch_sites)
          for (const From& from : froms)
            for (const Key& key : keys) {
              server::ManagementRequest request;
              request.method = rows % 2 == 0 ? "POST" : "GET";
              request.path = "/mgnt";
              request.peer = peer_at(from.peer);
              add(request.headers, host.lines);
              add(request.headers, origin.lines);
              add(request.headers, site.lines);
              add(request.headers, from.lines);
              add(request.headers, key.lines);

              const bool shut_out = host.shut_out || origin.shut_out || site.shut_out;
              const int expected = shut_out ? 403 : (from.near ? mode.near : mode.far)[key.sent];
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
  EXPECT_EQ(rows, 3 * 6 * 7 * 7 * 11 * 10U);
  // Three Hosts, two Origins, three sites: 18 that no page spoils. Without a key 3 near peers with 8 of the ten keys;
  // with one, in two modes, 11 peers with 3 right keys.
  EXPECT_EQ(admitted, 18 * (3 * 8 + 2 * 11 * 3U));
}

}  // namespace
}  // namespace cweb::mgnt
