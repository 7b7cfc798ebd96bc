// A certificate is replaced while everybody goes on talking: new connections get the new one, the others stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "deploying.h"
#include "http_client.h"
#include "https_server.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::CertificatePair;
using testing_support::make_certificate;

constexpr const char* echo_module = R"(#include <cweb.h>
static void echo(struct websocket *ws, const char *message, size_t length) { ws->send(ws, message, length); }
static int page(struct http_request *req, struct http_response *res) { strcpy(res->body, "page"); return 0; }
export module_t config = {
    .name = "echo", .routes = {{"/page", "GET", page, NONE}}, .size = 1,
    .websockets = {{"/echo", NULL, echo, NULL}}, .ws_size = 1,
};
)";

class TlsRenewalTest : public testing::Test {
 protected:
  TlsRenewalTest() {
    HttpClient client(server_.port(), "https");
    EXPECT_TRUE(deploy(client, echo_module).deployed());
  }
  /// Whose certificate a new connection gets.
  std::string served_name() const {
    RawClient client(server_.port(), TlsWish{});
    return client.tls()->common_name();
  }
  void expect_served(const std::string& name) const {
    EXPECT_TRUE(eventually([&] { return served_name() == name; })) << served_name() << " and not " << name;
  }
  bool log_says(const std::string& text) const {
    return eventually([&] { return server_.log().find(text) != std::string::npos; });
  }

  CertificateFolder folder_{{.common_name = "first"}};
  ServerProcess server_{folder_.options()};
};

TEST_F(TlsRenewalTest, files_that_change_are_taken_and_nobody_is_cut_off) {
  RawClient kept(server_.port(), TlsWish{});
  WebSocketClient socket(server_.port(), "/echo", TlsWish{});
  EXPECT_EQ(kept.exchange(get_request("/page")).body, "page");
  EXPECT_EQ(served_name(), "first");
  folder_.put(make_certificate({.common_name = "second"}));
  expect_served("second");
  EXPECT_EQ(kept.exchange(get_request("/page")).body, "page");
  EXPECT_EQ(kept.tls()->common_name(), "first");
  EXPECT_EQ(socket.exchange("still here"), "still here");
  EXPECT_TRUE(log_says("new connections get the new certificate"));
}

TEST_F(TlsRenewalTest, sighup_reads_the_files_at_once_and_says_what_became_of_it) {
  WebSocketClient socket(server_.port(), "/echo", TlsWish{});
  kill(server_.pid(), SIGHUP);
  EXPECT_TRUE(log_says("has not changed"));
  folder_.put(make_certificate({.common_name = "second"}));
  kill(server_.pid(), SIGHUP);
  expect_served("second");
  EXPECT_EQ(socket.exchange("still here"), "still here");
}

TEST_F(TlsRenewalTest, the_two_files_may_be_replaced_one_after_the_other) {
  const CertificatePair second = make_certificate({.common_name = "second"});
  folder_.put_certificate(second);
  EXPECT_EQ(served_name(), "first");
  folder_.put_key(second);
  expect_served("second");
  EXPECT_THAT(server_.log(), Not(HasSubstr("not renewed")));
}

TEST_F(TlsRenewalTest, a_pair_that_cannot_be_used_is_told_and_the_one_from_before_stays) {
  folder_.put_key(make_certificate());
  kill(server_.pid(), SIGHUP);
  EXPECT_TRUE(log_says("the certificate is not renewed"));
  EXPECT_THAT(server_.log(), AllOf(HasSubstr(folder_.key()), HasSubstr("is not the one of the certificate")));
  EXPECT_EQ(served_name(), "first");
  folder_.put(make_certificate({.common_name = "second"}));
  expect_served("second");
}

TEST_F(TlsRenewalTest, a_half_that_stays_a_half_is_told_without_being_asked) {
  folder_.put_key(make_certificate());
  EXPECT_TRUE(log_says("the certificate is not renewed"));
  EXPECT_EQ(served_name(), "first");
}

TEST_F(TlsRenewalTest, a_ticket_of_the_old_certificate_leads_to_a_full_handshake) {
  RawClient before(server_.port(), TlsWish{.version = tls12});
  EXPECT_EQ(before.exchange(get_request("/page")).status, 200);
  const TlsTicket ticket = before.tls()->ticket();
  EXPECT_TRUE(RawClient(server_.port(), TlsWish{.version = tls12, .resumes = ticket.get()}).tls()->was_resumed());
  folder_.put(make_certificate({.common_name = "second"}));
  expect_served("second");
  RawClient after(server_.port(), TlsWish{.version = tls12, .resumes = ticket.get()});
  EXPECT_FALSE(after.tls()->was_resumed());
  EXPECT_EQ(after.exchange(get_request("/page")).status, 200);
}

/// As cluster managers replace mounted secrets: the names are links into a directory that is itself behind a link,
/// which is renamed over.
TEST(TlsRenewalByLinkTest, a_link_that_leads_elsewhere_is_noticed) {
  const CertificateFolder folder;
  const auto& directory = folder.directory();
  const auto put = [&](const std::string& version, const std::string& name) {
    std::filesystem::create_directory(directory.path(version));
    const CertificatePair pair = make_certificate({.common_name = name});
    directory.write(version + "/tls.crt", pair.certificate);
    directory.write(version + "/tls.key", pair.key);
    std::filesystem::create_symlink(version, directory.path("..data_tmp"));
    std::filesystem::rename(directory.path("..data_tmp"), directory.path("..data"));
  };
  put("..2026_1", "first");
  std::filesystem::create_symlink("..data/tls.crt", directory.path("tls.crt"));
  std::filesystem::create_symlink("..data/tls.key", directory.path("tls.key"));
  ServerProcess server({"--cert", directory.path("tls.crt"), "--key", directory.path("tls.key")});
  const auto served = [&] { return RawClient(server.port(), TlsWish{}).tls()->common_name(); };
  EXPECT_EQ(served(), "first");
  put("..2026_2", "second");
  std::filesystem::remove_all(directory.path("..2026_1"));
  EXPECT_TRUE(eventually([&] { return served() == "second"; }));
  put("..2026_3", "third");
  EXPECT_TRUE(eventually([&] { return served() == "third"; }));
}

TEST(TlsSupervisedTest, a_new_process_serves_https_and_the_redirect_on_the_same_sockets) {
  const CertificateFolder folder({.common_name = "first"});
  ServerProcess server(folder.options({"--redirect-http", "0"}), {}, Supervision::by_parent);
  {
    HttpClient client(server.port(), "https");
    ASSERT_TRUE(deploy(client, echo_module).deployed());
  }
  const auto children = children_of(server.pid());
  ASSERT_EQ(children.size(), 1U);
  kill(children[0], SIGKILL);
  // Whoever comes meanwhile waits in the sockets' queue.
  HttpClient client(server.port(), "https");
  EXPECT_EQ(client.get("/page").body, "page");
  EXPECT_EQ(HttpClient(server.redirect_port()).get("/page").status, 308);
  folder.put(make_certificate({.common_name = "second"}));
  kill(server.pid(), SIGHUP);
  EXPECT_TRUE(eventually([&] { return RawClient(server.port(), TlsWish{}).tls()->common_name() == "second"; }));
}

}  // namespace
}  // namespace cweb::e2e
