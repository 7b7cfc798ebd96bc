#include "runtime/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/route_claims.h"
#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

using Kind = RouteMatch::Kind;

class RouteTableTest : public testing::Test {
 protected:
  void add(const std::string& name, const std::vector<std::pair<std::string, std::string>>& routes) {
    versions_.push_back(make_version(versions_.size() + 1, name, routes));
  }
  std::string owner(std::string_view method, std::string_view path) {
    if (!table_) table_ = RouteTable::build(versions_);
    const RouteMatch match = table_->find(method, path);
    if (match.kind != Kind::found) return "";
    return match.version->config.name + " " + match.version->config.routes[match.route].path;
  }
  std::vector<std::shared_ptr<ModuleVersion>> versions_;
  std::unique_ptr<const RouteTable> table_;
};

TEST_F(RouteTableTest, LiteralPathIsMatchedWhole) {
  add("a", {{"GET", "/counter"}});
  EXPECT_EQ(owner("GET", "/counter"), "a /counter");
  EXPECT_EQ(owner("GET", "/counter/"), "");
  EXPECT_EQ(owner("GET", "/counte"), "");
}

TEST_F(RouteTableTest, MethodsAreComparedExactly) {
  add("a", {{"POST", "/x"}});
  EXPECT_EQ(owner("post", "/x"), "");
  EXPECT_EQ(table_->find("post", "/x").kind, Kind::no_such_method);
  EXPECT_EQ(table_->find("GET", "/y").kind, Kind::no_such_path);
}

TEST_F(RouteTableTest, HeadReachesGetUnlessThereIsAHeadRoute) {
  add("a", {{"GET", "/x"}, {"GET", "/y"}, {"HEAD", "/y"}});
  EXPECT_EQ(owner("HEAD", "/x"), "a /x");
  EXPECT_EQ(table_->find("HEAD", "/y").route, 2U);
}

TEST_F(RouteTableTest, TwoModulesMayShareAPathWithDifferentMethods) {
  add("a", {{"GET", "/x"}});
  add("b", {{"POST", "/x"}});
  EXPECT_EQ(owner("GET", "/x"), "a /x");
  EXPECT_EQ(owner("POST", "/x"), "b /x");
}

TEST_F(RouteTableTest, PatternsMatchTheWholePath) {
  add("a", {{"GET", "/item/([0-9]+)"}});
  EXPECT_EQ(owner("GET", "/item/42"), "a /item/([0-9]+)");
  EXPECT_EQ(owner("GET", "/item/42/more"), "");
  EXPECT_EQ(owner("GET", "/x/item/42"), "");
}

TEST_F(RouteTableTest, LiteralOfOneModuleWinsOverPatternOfAnother) {
  add("patterns", {{"GET", "/files/.*"}});
  add("literal", {{"GET", "/files/index"}});
  EXPECT_EQ(owner("GET", "/files/index"), "literal /files/index");
  EXPECT_EQ(owner("GET", "/files/other"), "patterns /files/.*");
}

TEST_F(RouteTableTest, PatternsOfModulesAreTriedInTheOrderInWhichTheyCame) {
  add("first", {{"GET", "/a.*"}});
  add("second", {{"GET", "/ab.*"}});
  EXPECT_EQ(owner("GET", "/abc"), "first /a.*");
}

TEST_F(RouteTableTest, WithinAModuleTheFirstRowWins) {
  add("a", {{"GET", "/x.*"}, {"GET", "/xy"}});
  EXPECT_EQ(owner("GET", "/xy"), "a /x.*");
  EXPECT_EQ(shadowed_rows(versions_[0]->config).size(), 1U);
}

TEST_F(RouteTableTest, MethodThatThePatternLacksIsNotFoundInTheWrongModule) {
  add("a", {{"GET", "/x.*"}});
  add("b", {{"POST", "/xy"}});
  EXPECT_EQ(owner("POST", "/xy"), "b /xy");
  EXPECT_EQ(owner("GET", "/xy"), "a /x.*");
  EXPECT_EQ(table_->find("DELETE", "/xy").kind, Kind::no_such_method);
}

TEST_F(RouteTableTest, AllowListsEveryMethodOfThePath) {
  add("a", {{"GET", "/x"}});
  add("b", {{"POST", "/x"}, {"DELETE", "/.*"}});
  owner("GET", "/x");
  const std::string allow = table_->allowed_methods("/x");
  for (const char* method : {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}) {
    EXPECT_NE(allow.find(method), std::string::npos) << method << " in " << allow;
  }
  EXPECT_EQ(allow.find("PUT"), std::string::npos);
  EXPECT_EQ(RouteTable::build({})->allowed_methods("/x"), "");
}

TEST(RoutePatternTest, TellsWhereAPatternIsWrong) {
  const auto pattern = RoutePattern::compile("/a(b");
  ASSERT_FALSE(pattern);
  EXPECT_NE(pattern.error().message.find("/a(b"), std::string::npos);
}

TEST(RoutePatternTest, MatchesBytesThatAreNotUtf8) {
  const auto pattern = RoutePattern::compile("/x.");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE((*pattern)->matches("/x\xff"));
}

TEST(RoutePatternTest, MayNotBeSoLargeThatMatchingDelaysOthers) {
  EXPECT_TRUE(RoutePattern::compile("/items/[a-z]{1,40}/([0-9]+)\\.(json|xml)").has_value());
  const auto large = RoutePattern::compile("/(.*a){1000}");
  ASSERT_FALSE(large.has_value());
  EXPECT_THAT(large.error().message, testing::HasSubstr("is too large"));
}

TEST(RoutePatternTest, HasNoBackreferences) {
  EXPECT_FALSE(RoutePattern::compile("/(a)\\1"));
}

TEST(RouteClaimsTest, SameMethodAndTextConflict) {
  const auto mine = make_version(1, "mine", {{"GET", "/x"}, {"GET", "/p.*"}});
  EXPECT_FALSE(find_conflict(mine->config, make_version(2, "other", {{"POST", "/x"}})->config));
  const auto literal = find_conflict(mine->config, make_version(2, "other", {{"GET", "/x"}})->config);
  ASSERT_TRUE(literal);
  EXPECT_EQ(literal->what, "GET /x");
  EXPECT_EQ(literal->owner, "other");
  EXPECT_TRUE(find_conflict(mine->config, make_version(2, "other", {{"GET", "/p.*"}})->config));
  EXPECT_FALSE(find_conflict(mine->config, make_version(2, "other", {{"GET", "/p"}})->config));
}

TEST(RouteClaimsTest, PatternOverAnothersLiteralIsToldBothWays) {
  const auto pattern = make_version(1, "pattern", {{"GET", "/x.*"}});
  const auto literal = make_version(2, "literal", {{"GET", "/xy"}});
  ASSERT_EQ(overlaps(pattern->config, literal->config).size(), 1U);
  EXPECT_NE(overlaps(pattern->config, literal->config)[0].find("literal"), std::string::npos);
  ASSERT_EQ(overlaps(literal->config, pattern->config).size(), 1U);
  EXPECT_NE(overlaps(literal->config, pattern->config)[0].find("pattern"), std::string::npos);
}

}  // namespace
}  // namespace cweb::runtime
