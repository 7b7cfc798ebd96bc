// What a web page can do to /mgnt with the browser of somebody who runs cweb on his machine: nothing, unless it is a
// page of that very server. The same page of attempts is served from three places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "browser.h"
#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Attempts that no browser asks permission for: they reach the server, and the server has to say no.
constexpr const char* sent_unasked[] = {
    "form_urlencoded",  "form_multipart",         "form_text", "form_redirected", "fetch_simple", "fetch_no_cors",
    "fetch_redirected", "fetch_with_credentials", "xhr",       "beacon",          "sandboxed",
};
constexpr const char* sent_if_permitted[] = {"fetch_put", "fetch_typed", "fetch_with_key"};
constexpr size_t every_post = std::size(sent_unasked) + std::size(sent_if_permitted);
constexpr const char* reading[] = {"read_list", "read_list_no_cors", "read_source", "image", "script", "frame"};

/// How each attempt looked to the page.
using Outcomes = std::map<std::string, std::string>;

std::string c_string(const std::string& text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '\n') {
      literal += "\\n\"\n\"";
      continue;
    }
    if (c == '"' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal + "\"";
}

/// A module that serves the page at /attempts, passes its reports on to the test, and redirects posts to the target.
std::string page_module(const std::string& target) {
  return fill_in(R"(#include <cweb.h>
#include <unistd.h>

static const char page[] = @PAGE@;

static int show(struct http_request *req, struct http_response *res) {
    (void)req;
    map_insert(res->headers, "Content-Type", "text/html; charset=utf-8");
    res->body = (char *)page;
    return 0;
}
static int report(struct http_request *req, struct http_response *res) {
    (void)res;
    dprintf(@EVENTS@, "%s\n", req->body);
    return 0;
}
static int redirect(struct http_request *req, struct http_response *res) {
    (void)req;
    res->status = 307;
    map_insert(res->headers, "Location", "@TARGET@/mgnt");
    return 0;
}

export module_t config = {
    .name = "page",
    .routes = {{"/attempts", "GET", show, NONE}, {"/report", "POST", report, NONE}, {"/redirect", "POST", redirect, NONE}},
    .size = 3,
};
)",
                 {{"PAGE", c_string(fill_in(read_project_file("tests/browser/attempts.html"), {{"TARGET", target}}))},
                  {"TARGET", target},
                  {"EVENTS", std::to_string(events_fd)}});
}

class BrowserAccessTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(deploy(victim_.port(), answering_module("kept", "/kept", "kept for good")).deployed());
  }

  /// Opens http://`place`/attempts, which `server` serves, and waits until the page is through and `posts` deploys came
  /// to the victim.
  Outcomes open_page(ServerProcess& server, const std::string& place, size_t posts,
                     const std::vector<std::string>& names = {}) {
    const size_t before = count_in_log(" action=deploy ");
    const Browser browser("http://" + place + "/attempts", names);
    Outcomes outcomes;
    for (;;) {
      const std::string line = server.next_event(4 * patience);
      const auto report = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (!report.is_object() || report["attempt"] == "failed") {
        ADD_FAILURE() << "the page did not come to its end: " << line << "\n" << browser.log();
        return {};
      }
      if (report["attempt"] == "done") break;
      outcomes[report["attempt"]] = report["outcome"];
    }
    // A browser sends a beacon when it likes: it must not be ended before that.
    EXPECT_TRUE(eventually([&] { return count_in_log(" action=deploy ") >= before + posts; })) << victim_.log();
    EXPECT_EQ(count_in_log(" action=deploy "), before + posts);
    return outcomes;
  }
  size_t count_in_log(const std::string& text) const {
    size_t count = 0;
    const std::string log = victim_.log();
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
    return count;
  }
  bool is_live(const char* attempt) {
    return HttpClient(victim_.port()).get(std::string("/") + attempt).body == "taken over";
  }
  void expect_nothing_taken_over(const Outcomes& outcomes) {
    HttpClient client(victim_.port());
    for (const char* attempt : sent_unasked) EXPECT_FALSE(is_live(attempt)) << attempt;
    for (const char* attempt : sent_if_permitted) EXPECT_FALSE(is_live(attempt)) << attempt;
    EXPECT_EQ(client.get("/kept").body, "kept for good");
    for (const auto& [attempt, outcome] : outcomes) {
      EXPECT_THAT(outcome, Not(AnyOf(HasSubstr("kept"), HasSubstr("is deployed"), HasSubstr("\"modules\""))))
          << attempt;
    }
    EXPECT_EQ(outcomes.at("websocket"), "error");
  }

  std::string victim_place(const std::string& host) const { return host + ":" + std::to_string(victim_.port()); }

  ServerProcess victim_;
};

/// Served by another server on this machine, under this name.
class ForeignPageTest : public BrowserAccessTest, public testing::WithParamInterface<const char*> {};

TEST_P(ForeignPageTest, can_neither_deploy_nor_delete_nor_read) {
  const std::string name = GetParam();
  ServerProcess foreign;
  ASSERT_TRUE(deploy(foreign.port(), page_module("http://" + victim_place("127.0.0.1"))).deployed());
  // What a browser asks about first is never sent.
  const Outcomes outcomes =
      open_page(foreign, name + ":" + std::to_string(foreign.port()), std::size(sent_unasked), {name});
  ASSERT_FALSE(outcomes.empty());
  expect_nothing_taken_over(outcomes);
  EXPECT_EQ(count_in_log("action=deploy result=refused status=403"), std::size(sent_unasked));
  for (const char* attempt : sent_if_permitted) EXPECT_EQ(outcomes.at(attempt), "blocked") << attempt;
  for (const char* attempt : reading) {
    EXPECT_THAT(outcomes.at(attempt), AnyOf("blocked", "error", "opaque, 0 bytes")) << attempt;
  }
}

INSTANTIATE_TEST_SUITE_P(Names, ForeignPageTest, testing::Values("127.0.0.1", "foreign.example"),
                         [](const auto& info) { return info.index == 0 ? "another_port" : "another_site"; });

/// DNS rebinding: the page's name was the attacker's server when it was loaded, and is this machine now. To the browser
/// everything is one origin.
TEST_F(BrowserAccessTest, a_page_whose_name_was_made_to_lead_here_can_do_no_more) {
  ASSERT_TRUE(deploy(victim_.port(), page_module("http://" + victim_place("rebound.example"))).deployed());
  const Outcomes outcomes = open_page(victim_, victim_place("rebound.example"), every_post, {"rebound.example"});
  ASSERT_FALSE(outcomes.empty());
  expect_nothing_taken_over(outcomes);
  EXPECT_EQ(count_in_log("action=deploy result=refused status=403"), every_post);
  EXPECT_THAT(outcomes.at("fetch_simple"), StartsWith("403 /mgnt is reached as localhost"));
  EXPECT_THAT(outcomes.at("read_list"), StartsWith("403 "));
}

/// The control: from our own origin the same attempts work, so the tests above can fail.
TEST_F(BrowserAccessTest, a_page_of_our_own_can_deploy_and_read) {
  ASSERT_TRUE(deploy(victim_.port(), page_module("http://" + victim_place("127.0.0.1"))).deployed());
  const Outcomes outcomes = open_page(victim_, victim_place("127.0.0.1"), every_post);
  ASSERT_FALSE(outcomes.empty());
  for (const char* attempt : sent_unasked) {
    // A sandboxed frame is of no origin, whoever's page it is in.
    EXPECT_EQ(is_live(attempt), std::string(attempt) != "sandboxed") << attempt;
  }
  for (const char* attempt : sent_if_permitted) EXPECT_TRUE(is_live(attempt)) << attempt;
  EXPECT_THAT(outcomes.at("fetch_simple"), HasSubstr("is deployed"));
  EXPECT_THAT(outcomes.at("form_text"), HasSubstr("is deployed"));
  EXPECT_THAT(outcomes.at("read_list"), HasSubstr("\"fetch_simple\""));
  EXPECT_EQ(HttpClient(victim_.port()).get("/kept").status, 404) << "deleted by the page";
}

}  // namespace
}  // namespace cweb::e2e
