// Who may speak to /mgnt: the person on this machine with curl, and no web page that makes a browser send the same
// line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "deploying.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::Each;
using testing::HasSubstr;

class AccessTest : public testing::Test {
 protected:
  /// POSTs a module with these header lines instead of the usual ones. `@PORT@` is the server's.
  RawResponse post(const std::string& header_lines) {
    const std::string source = answering_module("posted", "/posted", "here");
    return RawClient(server_.port())
        .exchange("POST /mgnt HTTP/1.1\r\n" + fill_in(header_lines, {{"PORT", std::to_string(server_.port())}}) +
                  "Content-Length: " + std::to_string(source.size()) + "\r\n\r\n" + source);
  }
  void expect_refused(const std::string& header_lines) {
    const RawResponse response = post(header_lines);
    EXPECT_EQ(response.status, 403) << header_lines;
    EXPECT_THAT(response.body, HasSubstr("/mgnt")) << "a sentence says why";
    EXPECT_FALSE(response.has_header("Access-Control-Allow-Origin"));
    EXPECT_EQ(RawClient(server_.port()).exchange(get_request("/posted")).status, 404) << "nothing was deployed";
  }
  void expect_allowed(const std::string& header_lines) {
    const RawResponse response = post(header_lines);
    EXPECT_EQ(response.status, 200) << header_lines << response.body;
    EXPECT_FALSE(response.has_header("Access-Control-Allow-Origin"));
  }

  ServerProcess server_;
};

TEST_F(AccessTest, the_names_of_this_machine_are_answered) {
  for (const char* host : {"localhost:@PORT@", "localhost", "LocalHost:@PORT@", "127.0.0.1:@PORT@", "127.1.2.3",
                           "[::1]:@PORT@", "[::1]"}) {
    expect_allowed(std::string("Host: ") + host + "\r\n");
  }
}

TEST_F(AccessTest, any_other_host_is_refused_even_when_it_leads_here) {
  for (const char* host : {"example.com", "localhost.example.com", "127.0.0.1.example.com", "192.168.0.1:8080", "127.1",
                           "0.0.0.0", "[::2]"}) {
    expect_refused(std::string("Host: ") + host + "\r\n");
  }
  for (const char* host : {"localhost:port", "user@localhost"}) {
    EXPECT_EQ(post(std::string("Host: ") + host + "\r\n").status, 400) << host << " is no Host at all";
  }
  EXPECT_EQ(RawClient(server_.port()).exchange(get_request("/posted")).status, 404) << "nothing was deployed";
}

TEST_F(AccessTest, a_web_page_of_another_origin_is_refused) {
  for (const char* origin : {"http://example.com", "null", "https://localhost:@PORT@", "http://localhost:1",
                             "http://localhost", "http://127.0.0.1:@PORT@"}) {
    expect_refused(std::string("Host: localhost:@PORT@\r\nOrigin: ") + origin + "\r\n");
  }
  expect_allowed("Host: localhost:@PORT@\r\nOrigin: http://localhost:@PORT@\r\n");
}

TEST_F(AccessTest, what_the_browser_says_of_the_sending_site_counts) {
  expect_refused("Host: localhost:@PORT@\r\nSec-Fetch-Site: cross-site\r\n");
  expect_refused("Host: localhost:@PORT@\r\nSec-Fetch-Site: same-site\r\n");
  expect_allowed("Host: localhost:@PORT@\r\nSec-Fetch-Site: same-origin\r\n");
  expect_allowed("Host: localhost:@PORT@\r\nSec-Fetch-Site: none\r\n");
}

TEST_F(AccessTest, what_came_through_a_proxy_is_refused) {
  for (const char* header : {"Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1", "x-forwarded-host: a",
                             "X-Forwarded-Proto: https", "Via: 1.1 proxy"}) {
    expect_refused(std::string("Host: localhost:@PORT@\r\n") + header + "\r\n");
  }
}

TEST_F(AccessTest, reading_is_guarded_like_writing) {
  RawClient client(server_.port());
  for (const char* path : {"/mgnt", "/mgnt/modules/x", "/mgnt/modules/x/source", "/mgnt/metrics"}) {
    const RawResponse response =
        client.exchange(std::string("GET ") + path + " HTTP/1.1\r\nHost: rebound.example.com\r\n\r\n");
    EXPECT_EQ(response.status, 403) << path;
  }
  EXPECT_EQ(
      client.exchange("DELETE /mgnt/modules/x HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\n\r\n").status,
      403);
}

TEST_F(AccessTest, health_is_told_to_whoever_asks) {
  const RawResponse response = RawClient(server_.port())
                                   .exchange(
                                       "GET /mgnt/health HTTP/1.1\r\nHost: 10.1.2.3:8080\r\nVia: 1.1 balancer\r\n"
                                       "X-Forwarded-For: 192.0.2.1\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok\n");
}

TEST_F(AccessTest, a_preflight_gets_no_permission) {
  const RawResponse response = RawClient(server_.port())
                                   .exchange(
                                       "OPTIONS /mgnt HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\n"
                                       "Access-Control-Request-Method: PUT\r\n\r\n");
  EXPECT_EQ(response.status, 403);
  for (const auto& [name, value] : response.headers) EXPECT_THAT(name, testing::Not(HasSubstr("Access-Control")));
}

TEST_F(AccessTest, the_rules_are_for_mgnt_alone) {
  ASSERT_TRUE(deploy(server_.port(), answering_module("open", "/open", "for all")).deployed());
  const RawResponse response =
      RawClient(server_.port())
          .exchange(
              "GET /open HTTP/1.1\r\nHost: example.com\r\nOrigin: http://a.example\r\nVia: 1.1 proxy\r\n"
              "Sec-Fetch-Site: cross-site\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "for all");
}

TEST_F(AccessTest, the_documented_curl_line_works) {
  const Finished curl =
      run_program({"curl", "-sS", "--noproxy", "*", "-X", "POST", "-d", "@" + project_file("modules/counter.c"),
                   "http://localhost:" + std::to_string(server_.port()) + "/mgnt"});
  EXPECT_EQ(curl.exit_code, 0) << curl.err;
  EXPECT_THAT(curl.out, HasSubstr("is deployed"));
}

}  // namespace
}  // namespace cweb::e2e
