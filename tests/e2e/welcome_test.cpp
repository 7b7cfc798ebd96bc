// GET / of a server whose modules leave that path free.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploying.h"
#include "http_client.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(WelcomeTest, the_page_tells_what_is_live_until_a_module_has_the_path) {
  ServerProcess server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, answering_module("known", "/known/page", "here")).deployed());

  const HttpResponse page = client.get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.header("content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, HasSubstr("href=\"/known/page\""));
  EXPECT_THAT(page.body,
              HasSubstr("curl --data-binary @hello.c http://localhost:" + std::to_string(server.port()) + "/mgnt"));
  EXPECT_EQ(client.get("/?from=a-link").body, page.body);
  const HttpResponse head = client.send("HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.post("/", "x").status, 404);
  EXPECT_EQ(client.get("/other").status, 404);

  ASSERT_TRUE(deploy(client, answering_module("root", "/", "the module's own")).deployed());
  EXPECT_EQ(client.get("/").body, "the module's own");
  EXPECT_EQ(client.post("/", "x").status, 405);
  ASSERT_EQ(client.send("DELETE", "/mgnt/modules/root").status, 200);
  EXPECT_THAT(client.get("/").body, HasSubstr("<title>cweb</title>"));
}

TEST(WelcomeTest, who_could_not_ask_mgnt_is_not_told_what_is_live) {
  ServerProcess server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, answering_module("known", "/known", "here")).deployed());
  for (const char* headers : {"Host: example.com\r\n", "Host: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n",
                              "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"}) {
    const RawResponse page = RawClient(server.port()).exchange(std::string("GET / HTTP/1.1\r\n") + headers + "\r\n");
    EXPECT_EQ(page.status, 200) << headers;
    EXPECT_THAT(page.body, Not(HasSubstr("known"))) << headers;
  }
  const RawResponse page = RawClient(server.port()).exchange("GET / HTTP/1.1\r\nHost: a';rm${IFS}x;'\r\n\r\n");
  EXPECT_THAT(page.body, Not(HasSubstr("rm$"))) << "the page has lines to copy";
}

TEST(WelcomeTest, a_server_with_a_key_tells_how_to_send_it_and_nothing_else) {
  ServerProcess server({}, {"CWEB_ADMIN_KEY=0123456789abcdef"});
  HttpClient client(server.port());
  const Headers key{{"Authorization", "Bearer 0123456789abcdef"}};
  ASSERT_EQ(client.post("/mgnt", answering_module("known", "/known", "here"), key).status, 200);
  for (int i = 0; i < 15; ++i) {
    const HttpResponse page = client.get("/", {{"Authorization", "Bearer wrong"}});
    ASSERT_EQ(page.status, 200) << "no way to try keys";
    EXPECT_THAT(page.body, Not(HasSubstr("known")));
    EXPECT_THAT(page.body, HasSubstr("Authorization: Bearer $CWEB_ADMIN_KEY"));
  }
  EXPECT_EQ(client.get("/mgnt", key).status, 200);
}

TEST(WelcomeTest, in_production_the_path_is_as_unknown_as_any) {
  ServerProcess server({"--production", "--plain-http", "--host", "127.0.0.1"}, {"CWEB_ADMIN_KEY=0123456789abcdef"});
  EXPECT_EQ(HttpClient(server.port()).get("/").status, 404);
}

}  // namespace
}  // namespace cweb::e2e
