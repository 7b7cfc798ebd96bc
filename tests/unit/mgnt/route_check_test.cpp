#include "mgnt/route_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/route_table.h"

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;

runtime::ModuleConfig with_route(const std::string& path, const std::string& method = "GET") {
  runtime::ModuleConfig config;
  config.routes.push_back({.path = path,
                           .method = method,
                           .is_pattern = runtime::is_pattern(path),
                           .pattern = nullptr,
                           .position = {4, 2}});
  return config;
}

TEST(CheckRoutes, mgnt_and_everything_below_it_is_reserved) {
  for (const char* path : {"/mgnt", "/mgnt/", "/mgnt/modules", "/mgnt/.*", "^/mgnt$", "/mgnt(/.*)?", "/mgnt.*"}) {
    auto config = with_route(path);
    const auto refused = check_routes(config);
    ASSERT_TRUE(refused) << path;
    EXPECT_EQ(refused->status, 409) << path;
    EXPECT_THAT(refused->message, HasSubstr(path));
    EXPECT_EQ(refused->position.line, 4U);
  }
}

TEST(CheckRoutes, a_reserved_socket_path_is_refused_too) {
  runtime::ModuleConfig config;
  config.websockets.push_back({.path = "/mgnt/live", .position = {8, 1}});
  const auto refused = check_routes(config);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 409);
}

TEST(CheckRoutes, paths_that_only_begin_alike_and_catch_all_patterns_are_fine) {
  for (const char* path : {"/", "/mgntx", "/mgnt-page", "/a/mgnt", "/.*", "/[a-z]+", "/mgnts?x"}) {
    auto config = with_route(path);
    EXPECT_FALSE(check_routes(config)) << path;
  }
}

TEST(CheckRoutes, patterns_are_compiled_into_their_routes) {
  auto config = with_route("/static/.*");
  ASSERT_FALSE(check_routes(config));
  ASSERT_NE(config.routes[0].pattern, nullptr);
  EXPECT_TRUE(config.routes[0].pattern->matches("/static/a.css"));
}

TEST(CheckRoutes, a_bad_pattern_is_the_sources_fault_and_names_the_row) {
  auto config = with_route("/a(b");
  const auto refused = check_routes(config);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 422);
  EXPECT_EQ(refused->position.line, 4U);
  EXPECT_FALSE(refused->message.empty());
}

TEST(RepeatedRows, are_told_by_method_and_path) {
  auto config = with_route("/a");
  config.routes.push_back(config.routes[0]);
  config.routes.push_back(with_route("/a", "POST").routes[0]);
  const auto sentences = repeated_rows(config);
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_THAT(sentences[0], HasSubstr("GET /a is given twice"));
}

}  // namespace
}  // namespace cweb::mgnt
