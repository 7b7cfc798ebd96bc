#include "mgnt/module_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;

const std::vector<store::HistoryEntry> entries = {
    {.number = 3, .hash = "abcd3", .deployed_at = "2026-11-26T10:00:00.000Z", .bytes = 30},
    {.number = 2, .hash = "abcd2", .deployed_at = "2026-11-25T10:00:00.000Z", .bytes = 20},
    {.number = 1, .hash = "11111", .deployed_at = "2026-11-24T10:00:00.000Z", .bytes = 10},
};

int status_of(const std::string& query, const std::string& live = "abcd3") {
  const auto chosen = choose_version("m", entries, live, query);
  return chosen ? 200 : chosen.error().http_status;
}

TEST(ModuleHistoryTest, without_a_hash_it_is_the_version_before_the_live_one) {
  EXPECT_EQ(choose_version("m", entries, "abcd3", "")->hash, "abcd2");
  EXPECT_EQ(choose_version("m", entries, "abcd2", "")->hash, "abcd3");
}

TEST(ModuleHistoryTest, of_a_module_that_was_removed_it_is_the_last_one) {
  EXPECT_EQ(choose_version("m", entries, "", "")->hash, "abcd3");
}

TEST(ModuleHistoryTest, a_beginning_of_a_hash_is_enough_when_it_is_one_version_s) {
  EXPECT_EQ(choose_version("m", entries, "abcd3", "to=1111")->hash, "11111");
  EXPECT_EQ(choose_version("m", entries, "abcd3", "to=abcd2")->hash, "abcd2");
  EXPECT_EQ(status_of("to=abcd"), 409);
  EXPECT_EQ(status_of("to=ffff"), 404);
}

TEST(ModuleHistoryTest, a_text_that_was_never_live_is_gone_back_to_only_by_its_hash) {
  const std::vector<store::HistoryEntry> mixed = {
      {.number = 4, .hash = "eeee4", .deployed_at = "", .was_live = false},
      {.number = 3, .hash = "abcd3", .deployed_at = ""},
      {.number = 2, .hash = "abcd2", .deployed_at = ""},
      {.number = 1, .hash = "abcd2", .deployed_at = "", .was_live = false},
  };
  EXPECT_EQ(choose_version("m", mixed, "abcd3", "")->hash, "abcd2");
  EXPECT_EQ(choose_version("m", mixed, "", "")->hash, "abcd3");
  EXPECT_EQ(choose_version("m", mixed, "abcd3", "to=eeee")->hash, "eeee4");
  EXPECT_EQ(choose_version("m", mixed, "abcd3", "to=abcd2")->number, 2U) << "twice there, and one text";
  EXPECT_EQ(choose_version("m", {mixed[0]}, "", "").error().http_status, 404);
  EXPECT_EQ(history_json("m", mixed, std::nullopt)["versions"][0]["was_live"], false);
}

TEST(ModuleHistoryTest, a_query_that_is_not_understood_is_refused) {
  for (const char* query : {"to=", "to=abc", "to=ABCD2", "to=../../etc", "to=%zz"})
    EXPECT_EQ(status_of(query), 400) << query;
}

TEST(ModuleHistoryTest, where_there_is_nothing_to_go_back_to_the_answer_says_so) {
  EXPECT_EQ(choose_version("m", {}, "", "").error().http_status, 404);
  const auto alone = choose_version("m", {entries[0]}, "abcd3", "");
  EXPECT_EQ(alone.error().http_status, 404);
  EXPECT_THAT(alone.error().message, HasSubstr("no version of m but the live one"));
}

TEST(ModuleHistoryTest, the_list_is_json_with_the_newest_first) {
  const auto json = history_json("m", entries, std::nullopt);
  EXPECT_EQ(json["name"], "m");
  ASSERT_EQ(json["versions"].size(), 3U);
  EXPECT_EQ(json["versions"][0]["hash"], "abcd3");
  EXPECT_EQ(json["versions"][0]["deployed_at"], "2026-11-26T10:00:00.000Z");
  EXPECT_EQ(json["versions"][0]["bytes"], 30);
  EXPECT_EQ(json["versions"][0]["live"], false);
}

}  // namespace
}  // namespace cweb::mgnt
