// The chat's page by HTTPS in a real browser: its WebSocket comes by TLS too, and outlives certificates and versions.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>

#include "deploying.h"
#include "driven_browser.h"
#include "http_client.h"
#include "https_server.h"
#include "pace.h"
#include "raw_client.h"

namespace cweb::e2e {
namespace {

using testing_support::make_certificate;

void expect_line(Tab& tab, const std::string& kind, const std::string& text) {
  tab.wait_until("[...document.querySelectorAll('#said ." + kind +
                 "')].some(line => line.textContent === " + nlohmann::json(text).dump() + ")");
}

void expect_never_reconnected(Tab& tab) {
  EXPECT_EQ(tab.evaluate("document.body.dataset.opens"), nlohmann::json("1"));
  EXPECT_EQ(tab.evaluate("document.body.className"), nlohmann::json("live"));
}

TEST(HttpsPagesTest, a_chat_by_tls_outlives_a_new_certificate_and_a_deploy) {
  const CertificateFolder folder({.common_name = "first"});
  ServerProcess server(folder.options());
  const std::string chat = read_project_file("modules/chat.c");
  HttpClient client(server.port(), "https");
  ASSERT_TRUE(deploy(client, chat).deployed());
  // Nobody but the test knows who has signed the certificate.
  DrivenBrowser browser({}, {"--ignore-certificate-errors"});
  Tab ada = browser.open(server.url("/chat?room=tea"));
  Tab bob = browser.open(server.url("/chat?room=tea"));
  EXPECT_EQ(ada.evaluate("location.protocol"), nlohmann::json("https:"));
  for (auto& [tab, name] : {std::pair<Tab*, const char*>{&ada, "Ada"}, {&bob, "Bob"}}) {
    tab->fill_in("name", name);
    tab->wait_until("document.body.dataset.opens === '1'");
  }
  ada.fill_in("text", "Anyone for tea?");
  expect_line(bob, "theirs", "AdaAnyone for tea?");

  folder.put(make_certificate({.common_name = "second"}));
  kill(server.pid(), SIGHUP);
  EXPECT_TRUE(eventually([&] { return RawClient(server.port(), TlsWish{}).tls()->common_name() == "second"; }));
  bob.fill_in("text", "Always.");
  expect_line(ada, "theirs", "BobAlways.");

  ASSERT_TRUE(deploy(client, chat + "/* another version */\n").deployed());
  ada.fill_in("text", "Milk?");
  expect_line(bob, "theirs", "AdaMilk?");
  for (Tab* tab : {&ada, &bob}) expect_never_reconnected(*tab);
}

}  // namespace
}  // namespace cweb::e2e
