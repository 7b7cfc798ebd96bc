#include "mgnt/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "peers.h"

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;
using How = Admission::How;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::nanoseconds now = std::chrono::hours(1000);

server::ManagementRequest request_with(Headers headers, const std::string& peer = "127.0.0.1") {
  server::ManagementRequest request;
  request.method = "POST";
  request.path = "/mgnt";
  request.headers = std::move(headers);
  request.peer = peer_at(peer);
  return request;
}

std::unique_ptr<Access> make(const AccessOptions& options = {}) {
  auto made = Access::create(options);
  CWEB_ASSERT(made);
  return std::move(*made);
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
  const auto access = make();
  for (const char* peer : {"127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"}) {
    const auto curl = request_with({{"Host", "localhost:8080"}, {"User-Agent", "curl"}, {"Accept", "*/*"}}, peer);
    EXPECT_EQ(access->admit(curl, now).how, How::keyless) << peer;
  }
}

/// A row of what the rules come to, written down by hand. The table test computes many more.
struct Row {
  const char* says;
  Headers headers;
  int status;  ///< 200: admitted
};

void check(Access& access, const std::vector<Row>& rows, const std::string& peer = "127.0.0.1") {
  // Long after each other, so that no row waits for the wrong keys of another.
  auto time = now;
  for (const Row& row : rows) {
    time += std::chrono::hours(1);
    const Admission admission = access.admit(request_with(row.headers, peer), time);
    EXPECT_EQ(admission.status, row.status) << row.says;
    EXPECT_EQ(admission.admitted(), row.status == 200) << row.says;
    EXPECT_EQ(admission.sentence.empty(), row.status == 200) << row.says;
    EXPECT_EQ(admission.challenge.empty(), row.status != 401) << row.says;
  }
}

TEST(Access, development_without_a_key_is_for_this_machine_and_its_own_pages) {
  const auto access = make();
  check(*access,
        {
            {"a name of this machine", {{"host", "127.0.0.1:8080"}}, 200},
            {"our own page", {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}, 200},
            {"our own page, IPv6",
             {{"Host", "[::1]:8080"}, {"Origin", "http://[::1]:8080"}, {"Sec-Fetch-Site", "same-origin"}},
             200},
            {"typed into the browser", {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "none"}}, 200},
            {"a key that nobody asked for", {{"Host", "localhost"}, {"X-API-Key", "any"}}, 200},
            {"credentials that nobody asked for", {{"Host", "localhost"}, {"Authorization", "Basic dTpw"}}, 200},
            {"headers that are like those of proxies",
             {{"Host", "localhost"}, {"X-Forward", "1"}, {"Viaduct", "1"}},
             200},
            {"no Host", {}, 403},
            {"a name that leads here by DNS", {{"Host", "example.com"}}, 403},
            {"two Hosts", {{"Host", "localhost"}, {"Host", "localhost"}}, 403},
            {"two Hosts, spelled differently", {{"Host", "localhost"}, {"hOST", "example.com"}}, 403},
            {"a sandboxed page", {{"Host", "localhost:8080"}, {"Origin", "null"}}, 403},
            {"an empty Origin", {{"Host", "localhost:8080"}, {"Origin", ""}}, 403},
            {"another site", {{"Host", "localhost:8080"}, {"Origin", "http://evil.example"}}, 403},
            {"another scheme", {{"Host", "localhost:8080"}, {"Origin", "https://localhost:8080"}}, 403},
            {"another port", {{"Host", "localhost:8080"}, {"Origin", "http://localhost:3000"}}, 403},
            {"another port, the default", {{"Host", "localhost:8080"}, {"Origin", "http://localhost"}}, 403},
            {"another name of this machine", {{"Host", "localhost:8080"}, {"Origin", "http://127.0.0.1:8080"}}, 403},
            {"an Origin that goes on",
             {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080.evil.example"}},
             403},
            {"two Origins",
             {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}, {"origin", "http://evil.example"}},
             403},
            {"two Origins, both ours",
             {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}, {"Origin", "http://localhost:8080"}},
             403},
            {"a rebound name that is consistent",
             {{"Host", "evil.example"}, {"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "same-origin"}},
             403},
            {"cross-site", {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "cross-site"}}, 403},
            {"another port of this machine", {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "same-site"}}, 403},
            {"an empty Sec-Fetch-Site", {{"Host", "localhost:8080"}, {"sec-fetch-site", ""}}, 403},
            {"an unknown Sec-Fetch-Site", {{"Host", "localhost:8080"}, {"sec-fetch-site", "Same-Origin"}}, 403},
            {"two Sec-Fetch-Sites",
             {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Site", "none"}},
             403},
            {"two keys of one kind", {{"Host", "localhost"}, {"X-API-Key", "a"}, {"X-API-Key", "a"}}, 403},
            {"a proxy: Via", {{"Host", "localhost:8080"}, {"Via", "1.1 proxy"}}, 403},
            {"a proxy: Forwarded", {{"Host", "localhost:8080"}, {"Forwarded", "for=10.0.0.1"}}, 403},
            {"a proxy: Forwarded without a value", {{"Host", "localhost:8080"}, {"Forwarded", ""}}, 403},
            {"a proxy: X-Forwarded-For", {{"Host", "localhost:8080"}, {"X-Forwarded-For", "127.0.0.1"}}, 403},
            {"a proxy: any X-Forwarded", {{"Host", "localhost:8080"}, {"x-forwarded-anything", "x"}}, 403},
            {"a proxy: nginx's X-Real-IP", {{"Host", "localhost:8080"}, {"X-Real-IP", "10.0.0.1"}}, 403},
            {"a content network", {{"Host", "localhost:8080"}, {"CF-Connecting-IP", "10.0.0.1"}}, 403},
        });
}

TEST(Access, without_a_key_no_other_machine_may_and_no_key_that_it_sends_helps) {
  const auto access = make();
  for (const char* peer : {"192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "::", "0.0.0.0", "fe80::1"}) {
    check(*access,
          {
              {peer, {{"Host", "localhost:8080"}}, 403},
              {peer, {{"Host", "localhost:8080"}, {"X-API-Key", "any"}}, 403},
              {peer, {{"Host", "localhost:8080"}, {"Authorization", "Bearer any"}}, 403},
              {peer, {{"Host", "localhost:8080"}, {"Authorization", "Bearer "}}, 403},
              {peer, {{"Host", "localhost:8080"}, {"X-API-Key", ""}}, 403},
          },
          peer);
  }
}

TEST(Access, without_a_key_http_1_0_may_not_because_proxies_speak_it) {
  auto request = request_with({{"Host", "127.0.0.1:8080"}});
  request.minor_version = 0;
  EXPECT_EQ(make()->admit(request, now).status, 403);
  request.headers.emplace_back("X-API-Key", "the-right-key-it-is");
  EXPECT_TRUE(make({.admin_key = "the-right-key-it-is"})->admit(request, now).admitted());
}

TEST(Access, once_there_is_a_key_everybody_needs_it) {
  const std::vector<Row> rows = {
      {"none", {{"Host", "localhost"}}, 401},
      {"Bearer", {{"Host", "localhost"}, {"Authorization", "Bearer the-right-key-it-is"}}, 200},
      {"the scheme in any case", {{"Host", "localhost"}, {"authorization", "bEARER the-right-key-it-is"}}, 200},
      {"more spaces", {{"Host", "localhost"}, {"Authorization", "Bearer   the-right-key-it-is"}}, 200},
      {"X-API-Key", {{"Host", "localhost"}, {"x-api-key", "the-right-key-it-is"}}, 200},
      {"X-API-Key, and Authorization for somebody else",
       {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}, {"Authorization", "Basic dTpw"}},
       200},
      {"through a proxy", {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}, {"Via", "1.1 proxy"}}, 200},
      {"our own page",
       {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}, {"Origin", "http://localhost"}},
       200},
      {"a longer one", {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is-not"}}, 401},
      {"a shorter one", {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-i"}}, 401},
      {"another case", {{"Host", "localhost"}, {"X-API-Key", "The-right-key-it-is"}}, 401},
      {"empty", {{"Host", "localhost"}, {"X-API-Key", ""}}, 401},
      {"Bearer and nothing", {{"Host", "localhost"}, {"Authorization", "Bearer"}}, 401},
      {"no scheme", {{"Host", "localhost"}, {"Authorization", "the-right-key-it-is"}}, 401},
      {"another scheme", {{"Host", "localhost"}, {"Authorization", "Basic the-right-key-it-is"}}, 401},
      {"both ways",
       {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}, {"Authorization", "Bearer the-right-key-it-is"}},
       403},
      {"twice",
       {{"Host", "localhost"}, {"Authorization", "Bearer the-right-key-it-is"}, {"Authorization", "Bearer x"}},
       403},
      {"a page with the key, of another origin",
       {{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}, {"Origin", "null"}},
       403},
      {"under another name", {{"Host", "example.com"}, {"X-API-Key", "the-right-key-it-is"}}, 403},
  };
  for (const bool production : {false, true}) {
    for (const char* peer : {"127.0.0.1", "192.0.2.1", "2001:db8::1"}) {
      const auto access = make({.production = production, .admin_key = "the-right-key-it-is"});
      check(*access, rows, peer);
    }
  }
}

TEST(Access, a_page_can_neither_try_keys_nor_use_up_attempts) {
  const auto access = make({.admin_key = "the-right-key-it-is"});
  for (int i = 0; i < 100; ++i) {
    const auto page = request_with({{"Host", "localhost"}, {"Origin", "http://evil.example"}, {"X-API-Key", "x"}});
    EXPECT_EQ(access->admit(page, now).status, 403);
  }
  EXPECT_TRUE(
      access->admit(request_with({{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}}), now).admitted());
}

TEST(Access, after_too_many_wrong_keys_an_address_waits_even_with_the_right_one) {
  const auto access = make({.admin_key = "the-right-key-it-is"});
  const auto wrong = request_with({{"Host", "localhost"}, {"X-API-Key", "x"}});
  const auto right = request_with({{"Host", "localhost"}, {"X-API-Key", "the-right-key-it-is"}});
  for (int64_t i = 0; i < FailedKeys::burst; ++i) {
    EXPECT_TRUE(access->admit(right, now).admitted()) << "right ones cost nothing";
    EXPECT_TRUE(access->admit(wrong, now).wrong_key);
  }
  for (const auto& sent : {wrong, right}) {
    const Admission limited = access->admit(sent, now + std::chrono::milliseconds(1));
    EXPECT_EQ(limited.status, 429);
    EXPECT_EQ(limited.retry_after, std::chrono::seconds(6)) << "rounded up";
    EXPECT_FALSE(limited.wrong_key) << "nobody looked";
    EXPECT_THAT(limited.sentence, HasSubstr("try again in 6 s"));
  }
  EXPECT_EQ(access->admit(request_with({{"Host", "localhost"}}), now).status, 401) << "it tries none";
  EXPECT_TRUE(access->admit(request_with(right.headers, "192.0.2.1"), now).admitted());
  EXPECT_TRUE(access->admit(right, now + FailedKeys::refill_time).admitted());
}

TEST(Access, admin_hosts_are_names_of_this_server_under_any_port) {
  const auto access = make({.admin_hosts = {"Admin.example.com", "[2001:db8::1]", "192.0.2.1", "build_host"}});
  check(*access,
        {
            {"", {{"Host", "admin.example.com"}}, 200},
            {"", {{"Host", "ADMIN.example.com:8080"}}, 200},
            {"", {{"Host", "[2001:DB8::1]:8080"}}, 200},
            {"", {{"Host", "192.0.2.1:80"}}, 200},
            {"", {{"Host", "build_host"}}, 200},
            {"", {{"Host", "localhost"}}, 200},
            {"its page", {{"Host", "admin.example.com:8080"}, {"Origin", "http://admin.example.com:8080"}}, 200},
            {"another port's page", {{"Host", "admin.example.com:8080"}, {"Origin", "http://admin.example.com"}}, 403},
            {"below it", {{"Host", "x.admin.example.com"}}, 403},
            {"above it", {{"Host", "example.com"}}, 403},
            {"behind it", {{"Host", "admin.example.com.evil.example"}}, 403},
            {"a dot behind it", {{"Host", "admin.example.com."}}, 403},
            {"a port that is none", {{"Host", "admin.example.com:x"}}, 403},
            {"no name", {{"Host", ""}}, 403},
            {"no name but a port", {{"Host", ":8080"}}, 403},
        });
}

TEST(Access, options_that_cannot_be_meant_are_refused) {
  EXPECT_THAT(Access::create({.production = true}).error().message, HasSubstr("CWEB_ADMIN_KEY"));
  EXPECT_FALSE(Access::create({.production = true, .admin_key = ""}));
  EXPECT_FALSE(Access::create({.production = true, .admin_key = "fifteen letters"}));
  EXPECT_FALSE(Access::create({.admin_key = ""}));
  EXPECT_TRUE(Access::create({.admin_key = "short"}));
  EXPECT_TRUE(Access::create({.production = true, .admin_key = "sixteen-letters!"}));
  for (const char* host : {"", "http://a", "a:80", "a b", "*", "[::1", "::1", "[]", "a/b", "[x]"}) {
    EXPECT_FALSE(Access::create({.admin_hosts = {host}})) << host;
  }
}

TEST(Access, health_is_told_to_everybody_and_nothing_else_is) {
  const auto access = make({.production = true, .admin_key = "the-right-key-it-is"});
  auto probe =
      request_with({{"Host", "10.1.2.3:8080"}, {"X-Forwarded-For", "10.0.0.1"}, {"Origin", "null"}}, "10.0.0.9");
  for (const char* method : {"GET", "HEAD", "POST", "OPTIONS", "DELETE"}) {
    for (const char* path :
         {"/mgnt/health", "/mgnt/health/", "/mgnt/Health", "/mgnt/healthy", "/mgnt", "/mgnt/metrics"}) {
      probe.method = method;
      probe.path = path;
      const std::string call = probe.method + " " + probe.path;
      EXPECT_EQ(access->admit(probe, now).how,
                call == "GET /mgnt/health" || call == "HEAD /mgnt/health" ? How::open : How::refused)
          << call;
    }
  }
}

TEST(Access, the_read_key_is_told_from_the_other_and_says_what_it_may) {
  const auto access = make({.admin_key = "the-right-key-it-is", .read_key = "the-key-for-reading"});
  auto request = request_with({{"Host", "localhost"}, {"X-API-Key", "the-key-for-reading"}});
  request.method = "GET";
  EXPECT_EQ(access->admit(request, now).how, How::read_key);
  request.path = "/mgnt/modules/counter/source";
  const Admission source = access->admit(request, now);
  EXPECT_EQ(source.status, 403);
  EXPECT_THAT(source.sentence, HasSubstr("needs the admin key"));
  EXPECT_FALSE(source.wrong_key);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(access->admit(request, now).status, 403) << "it is no wrong key";
}

TEST(Access, wrong_keys_are_counted_alike_with_a_read_key) {
  const auto access = make({.admin_key = "the-right-key-it-is", .read_key = "the-key-for-reading"});
  auto wrong = request_with({{"Host", "localhost"}, {"X-API-Key", "x"}});
  for (int64_t i = 0; i < FailedKeys::burst; ++i) EXPECT_TRUE(access->admit(wrong, now).wrong_key);
  auto reading = request_with({{"Host", "localhost"}, {"X-API-Key", "the-key-for-reading"}});
  reading.method = "GET";
  EXPECT_EQ(access->admit(reading, now).status, 429);
}

TEST(Access, a_read_key_that_cannot_be_meant_is_refused) {
  const auto message = [](const AccessOptions& options) { return Access::create(options).error().message; };
  EXPECT_THAT(message({.admin_key = "the-same-key-twice", .read_key = "the-same-key-twice"}), HasSubstr("the same"));
  EXPECT_THAT(message({.read_key = "the-key-for-reading"}), HasSubstr("CWEB_ADMIN_KEY"));
  EXPECT_THAT(message({.admin_key = "the-right-key-it-is", .read_key = ""}), HasSubstr("the read key is empty"));
  EXPECT_THAT(message({.production = true, .admin_key = "the-right-key-it-is", .read_key = "short"}),
              HasSubstr("in production the read key needs at least 16"));
  EXPECT_THAT(
      message({.production = true, .admin_key = "the-right-key-it-is", .trusted_gateways = {peer_at("10.0.0.1")}}),
      HasSubstr("no gateway is trusted"));
}

TEST(Access, where_a_key_was_made_a_401_says_where_to_look) {
  const auto access = make({.admin_key = "the-right-key-it-is", .key_was_made = true});
  for (const Headers& headers : {Headers{{"Host", "localhost"}}, Headers{{"Host", "localhost"}, {"X-API-Key", "x"}}}) {
    const Admission refused = access->admit(request_with(headers), now);
    EXPECT_EQ(refused.status, 401);
    EXPECT_THAT(refused.sentence, HasSubstr("docker logs CONTAINER"));
  }
  EXPECT_THAT(make({.admin_key = "the-right-key-it-is"})->admit(request_with({{"Host", "localhost"}}), now).sentence,
              testing::Not(HasSubstr("docker")));
}

}  // namespace
}  // namespace cweb::mgnt
