// Which handler a path reaches, within a module and between modules, and who may own what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Row {
  std::string path, method, text;
};

/// A module whose rows answer their texts. A backslash of a path is written for C here.
std::string module_with_rows(const std::string& name, const std::vector<Row>& rows, const std::string& before = "") {
  std::string handlers, table;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string function = "row" + std::to_string(i);
    handlers += "static int " + function +
                "(struct http_request *req, struct http_response *res) {\n    res->body = \"" + rows[i].text +
                "\";\n    return 0;\n}\n";
    std::string path;
    for (const char c : rows[i].path) path += c == '\\' ? std::string("\\\\") : std::string(1, c);
    table += "        {\"" + path + "\", \"" + rows[i].method + "\", " + function + ", NONE},\n";
  }
  return before + "#include <cweb.h>\n\n" + handlers + "\nexport module_t config = {\n    .name = \"" + name +
         "\",\n    .routes = {\n" + table + "    },\n    .size = " + std::to_string(rows.size()) + ",\n};\n";
}

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() : client_(server_.port()) {}

  DeployAnswer deploy_rows(const std::string& name, const std::vector<Row>& rows) {
    DeployAnswer answer = deploy(client_, module_with_rows(name, rows));
    EXPECT_TRUE(answer.deployed()) << answer;
    return answer;
  }
  std::string got(const std::string& path) { return asked("GET", path); }
  /// The body of a 200, or the status of anything else.
  std::string asked(const std::string& method, const std::string& path) {
    const HttpResponse response = client_.send(method, path);
    return response.status == 200 ? response.body : std::to_string(response.status);
  }
  static std::string notices(const DeployAnswer& answer) { return answer.report["notices"].dump(); }

  ServerProcess server_;
  HttpClient client_;
};

TEST_F(RoutesTest, a_pattern_is_matched_against_the_whole_path_and_without_the_query) {
  deploy_rows("shop", {{"/item/[0-9]+", "GET", "item"}, {"/(a|b)/x", "GET", "either"}});
  EXPECT_EQ(got("/item/7"), "item");
  EXPECT_EQ(got("/item/12345?colour=red"), "item");
  EXPECT_EQ(got("/item/"), "404");
  EXPECT_EQ(got("/item/7/more"), "404");
  EXPECT_EQ(got("/the/item/7"), "404");
  EXPECT_EQ(got("/a/x"), "either");
  EXPECT_EQ(got("/b/x"), "either");
  EXPECT_EQ(got("/c/x"), "404");
}

TEST_F(RoutesTest, an_escaped_dot_is_a_dot) {
  deploy_rows("icons", {{"/favicon\\.ico", "GET", "icon"}, {"/any.thing", "GET", "thing"}});
  EXPECT_EQ(got("/favicon.ico"), "icon");
  EXPECT_EQ(got("/faviconxico"), "404");
  EXPECT_EQ(got("/anything"), "404");
  EXPECT_EQ(got("/any-thing"), "thing");
}

TEST_F(RoutesTest, paths_are_matched_as_they_were_sent) {
  deploy_rows("plain", {{"/plain", "GET", "plain"}});
  EXPECT_EQ(got("/plain"), "plain");
  EXPECT_EQ(got("/Plain"), "404");
  EXPECT_EQ(got("/plain/"), "404");
  EXPECT_EQ(got("//plain"), "404");
  EXPECT_EQ(got("/x/../plain"), "404");
  EXPECT_EQ(got("/pl%61in"), "404");
}

TEST_F(RoutesTest, within_a_module_the_first_matching_row_wins_and_a_shadowed_one_is_told) {
  const DeployAnswer answer = deploy_rows("rows", {{"/r/exact", "GET", "exact"},
                                                   {"/r/.*", "GET", "pattern"},
                                                   {"/r/late", "GET", "late"},
                                                   {"/r/late", "POST", "late post"}});
  EXPECT_EQ(got("/r/exact"), "exact");
  EXPECT_EQ(got("/r/other"), "pattern");
  EXPECT_EQ(got("/r/late"), "pattern");
  EXPECT_EQ(asked("POST", "/r/late"), "late post");
  EXPECT_THAT(notices(answer), HasSubstr("GET /r/late is never reached"));
}

TEST_F(RoutesTest, between_modules_a_literal_path_wins_whoever_came_first) {
  deploy_rows("catcher", {{"/catch/.*", "GET", "caught"}});
  const DeployAnswer literal = deploy_rows("exact", {{"/catch/me", "GET", "me"}});
  EXPECT_EQ(got("/catch/me"), "me");
  EXPECT_EQ(got("/catch/you"), "caught");
  EXPECT_THAT(notices(literal), HasSubstr("catcher"));

  deploy_rows("first", {{"/first/one", "GET", "one"}});
  const DeployAnswer pattern = deploy_rows("second", {{"/first/.*", "GET", "any"}});
  EXPECT_EQ(got("/first/one"), "one");
  EXPECT_EQ(got("/first/two"), "any");
  EXPECT_THAT(notices(pattern), HasSubstr("first"));
}

TEST_F(RoutesTest, patterns_of_several_modules_are_tried_in_the_order_in_which_the_modules_came) {
  deploy_rows("older", {{"/p/.*", "GET", "older"}});
  deploy_rows("newer", {{"/p/[a-z]+", "GET", "newer"}});
  EXPECT_EQ(got("/p/abc"), "older");
  // A new version keeps the module's place.
  deploy_rows("older", {{"/p/.*", "GET", "older again"}});
  EXPECT_EQ(got("/p/abc"), "older again");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/older").status, 200);
  EXPECT_EQ(got("/p/abc"), "newer");
}

TEST_F(RoutesTest, two_modules_may_share_a_path_by_method) {
  deploy_rows("reader", {{"/shared", "GET", "read"}});
  deploy_rows("writer", {{"/shared", "POST", "written"}, {"/shared", "DELETE", "deleted"}});
  EXPECT_EQ(asked("GET", "/shared"), "read");
  EXPECT_EQ(asked("POST", "/shared"), "written");
  EXPECT_EQ(asked("DELETE", "/shared"), "deleted");
  const HttpResponse other = client_.send("PUT", "/shared");
  EXPECT_EQ(other.status, 405);
  EXPECT_EQ(other.header("allow"), "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/writer").status, 200);
  EXPECT_EQ(asked("POST", "/shared"), "405");
  EXPECT_EQ(asked("GET", "/shared"), "read");
}

TEST_F(RoutesTest, every_documented_method_can_be_a_route) {
  deploy_rows("methods", {{"/m", "GET", "GET"},
                          {"/m", "POST", "POST"},
                          {"/m", "PUT", "PUT"},
                          {"/m", "PATCH", "PATCH"},
                          {"/m", "DELETE", "DELETE"},
                          {"/m", "OPTIONS", "OPTIONS"},
                          {"/m", "HEAD", "HEAD"}});
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
    EXPECT_EQ(asked(method, "/m"), method);
  RawClient raw(server_.port());
  ASSERT_TRUE(raw.send("HEAD /m HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_EQ(raw.read_response(/*no_body=*/true).header("Content-Length"), "4") << "the route for HEAD has answered";
}

TEST_F(RoutesTest, a_conflict_on_the_first_deploy_registers_nothing) {
  deploy_rows("owner", {{"/owned", "GET", "owner"}, {"/pattern/.*", "GET", "owner"}});
  for (const char* path : {"/owned", "/pattern/.*"}) {
    const DeployAnswer refused =
        deploy(client_, module_with_rows("thief", {{"/new", "GET", "new"}, {path, "GET", "thief"}}));
    EXPECT_EQ(refused.status, 409) << refused;
    EXPECT_EQ(refused.stage(), "routes");
    EXPECT_THAT(refused.error(), HasSubstr("owner"));
    EXPECT_THAT(refused.error(), HasSubstr(path));
    EXPECT_EQ(got("/new"), "404");
  }
  EXPECT_EQ(got("/owned"), "owner");
  EXPECT_TRUE(module_status(client_, "thief").is_null());
}

TEST_F(RoutesTest, a_conflict_on_an_update_leaves_the_old_version_with_all_its_routes) {
  deploy_rows("owner", {{"/owned", "GET", "owner"}});
  deploy_rows("other", {{"/mine", "GET", "mine"}, {"/also", "GET", "also"}});
  const DeployAnswer refused =
      deploy(client_, module_with_rows("other", {{"/mine", "GET", "mine too"}, {"/owned", "GET", "thief"}}));
  EXPECT_EQ(refused.status, 409) << refused;
  EXPECT_EQ(refused.report.value("keeps_serving", ""), "other, version 1");
  EXPECT_EQ(got("/mine"), "mine");
  EXPECT_EQ(got("/also"), "also");
  EXPECT_EQ(got("/owned"), "owner");
}

TEST_F(RoutesTest, an_update_adds_and_takes_away_routes_and_what_it_leaves_is_free) {
  deploy_rows("moving", {{"/old", "GET", "1"}, {"/stays", "GET", "1"}});
  deploy_rows("moving", {{"/stays", "GET", "2"}, {"/fresh", "GET", "2"}});
  EXPECT_EQ(got("/old"), "404");
  EXPECT_EQ(got("/stays"), "2");
  EXPECT_EQ(got("/fresh"), "2");
  deploy_rows("heir", {{"/old", "GET", "heir"}});
  EXPECT_EQ(got("/old"), "heir");
}

TEST_F(RoutesTest, a_refused_deploy_claims_nothing) {
  deploy_rows("owner", {{"/owned", "GET", "owner"}});
  EXPECT_EQ(deploy(client_, module_with_rows("thief", {{"/wish", "GET", "t"}, {"/owned", "GET", "t"}})).status, 409);
  deploy_rows("third", {{"/wish", "GET", "granted"}});
  EXPECT_EQ(got("/wish"), "granted");
}

TEST_F(RoutesTest, the_management_paths_belong_to_the_server) {
  for (const char* path : {"/mgnt", "/mgnt/", "/mgnt/modules", "/mgnt/.*"}) {
    const DeployAnswer answer = deploy(client_, module_with_rows("greedy", {{path, "GET", "mine"}}));
    EXPECT_EQ(answer.status, 409) << path << answer;
    EXPECT_THAT(answer.error(), HasSubstr("reserved"));
  }
  // What only looks like it is free, and a pattern that covers it never gets it.
  deploy_rows("near", {{"/mgntx", "GET", "near"}, {"/.*", "GET", "everything"}});
  EXPECT_EQ(got("/mgntx"), "near");
  EXPECT_EQ(got("/mgnt/health"), "ok\n");
  EXPECT_EQ(got("/anything"), "everything");
}

TEST_F(RoutesTest, sixty_four_routes_where_the_table_was_made_larger) {
  std::vector<Row> rows;
  for (int i = 0; i < 64; ++i) rows.push_back({"/many/" + std::to_string(i), "GET", "row " + std::to_string(i)});
  const DeployAnswer answer = deploy(client_, module_with_rows("many", rows, "#define CWEB_MAX_ROUTES 64\n"));
  ASSERT_TRUE(answer.deployed()) << answer;
  for (int i = 0; i < 64; ++i) EXPECT_EQ(got("/many/" + std::to_string(i)), "row " + std::to_string(i));

  const DeployAnswer eleven = deploy(client_, module_with_rows("eleven", {rows.begin(), rows.begin() + 11}));
  EXPECT_EQ(eleven.status, 422) << "ten are the default: " << eleven;
}

TEST_F(RoutesTest, a_pattern_that_would_take_for_ever_elsewhere_is_answered_at_once) {
  deploy_rows("slowpoke", {{"/(a+)+b", "GET", "never"}});
  EXPECT_EQ(got("/" + std::string(7'000, 'a')), "404");
}

}  // namespace
}  // namespace cweb::e2e
