#include "mgnt/welcome_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;
using testing::Not;

WelcomeFacts some_facts() {
  ModuleSummary module;
  module.name = "counter<script>";
  module.version = 7;
  module.state = "live";
  module.routes = {{"GET", "/counter"}, {"POST", "/counter"}, {"GET", "/page/[0-9]+"}, {"GET", "/\"><b>"}};
  module.websockets = {"/chat"};
  return {.version = "1.2.3",
          .url = "http://localhost:8080",
          .asks_key = false,
          .shows_modules = true,
          .modules = {module}};
}

TEST(WelcomePage, shows_what_is_live_and_the_line_that_deploys) {
  const std::string page = welcome_page(some_facts());
  EXPECT_THAT(page, HasSubstr("counter&lt;script&gt;"));
  EXPECT_THAT(page, HasSubstr(R"(<a href="/counter"><code>/counter</code></a>)"));
  EXPECT_THAT(page, HasSubstr("<code>/page/[0-9]+</code>")) << "nobody can follow a pattern";
  EXPECT_THAT(page, Not(HasSubstr("href=\"/page")));
  EXPECT_THAT(page, HasSubstr("<code>/chat</code>"));
  EXPECT_THAT(page, HasSubstr("curl --data-binary @hello.c http://localhost:8080/mgnt"));
  EXPECT_THAT(page, HasSubstr("cweb 1.2.3"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\"><b>")));
}

TEST(WelcomePage, a_module_that_answers_503_is_told_apart) {
  WelcomeFacts facts = some_facts();
  EXPECT_THAT(welcome_page(facts), Not(HasSubstr("<span class=\"quarantined\">")));
  facts.modules[0].state = "quarantined";
  EXPECT_THAT(welcome_page(facts), HasSubstr("<span class=\"quarantined\">quarantined</span>"));
}

TEST(WelcomePage, who_may_not_see_the_modules_sees_none) {
  WelcomeFacts facts = some_facts();
  facts.shows_modules = false;
  facts.asks_key = true;
  const std::string page = welcome_page(facts);
  EXPECT_THAT(page, Not(HasSubstr("counter")));
  EXPECT_THAT(page, HasSubstr("curl -H \"Authorization: Bearer $CWEB_ADMIN_KEY\" --data-binary @hello.c"));
}

TEST(WelcomePage, an_empty_server_says_so) {
  WelcomeFacts facts = some_facts();
  facts.modules.clear();
  EXPECT_THAT(welcome_page(facts), HasSubstr("No module yet."));
}

}  // namespace
}  // namespace cweb::mgnt
