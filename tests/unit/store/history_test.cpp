#include "store/history.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "store/digest.h"
#include "store/file_name.h"
#include "temporary_directory.h"
#include "unit/failing_calls.h"

namespace cweb::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

constexpr size_t longest = 10'000;

class HistoryTest : public testing::Test {
 protected:
  FileResult<History::Added> add(const std::string& module, const std::string& source) {
    auto added = history_.add(module, sha256_hex(source), source);
    history_.prune(module);
    return added;
  }
  std::vector<std::string> sources(const std::string& module) {
    std::vector<std::string> sources;
    for (const HistoryEntry& entry : history_.entries(module)) {
      sources.push_back(history_.read(module, entry).value_or("damaged"));
    }
    return sources;
  }

  TemporaryDirectory files_;
  UniqueFd directory_ = std::move(*open_directory(AT_FDCWD, files_.path()));
  History history_{directory_.get(), longest};
};

TEST_F(HistoryTest, versions_come_back_the_newest_first) {
  add("m", "one");
  add("m", "two");
  add("other", "x");
  EXPECT_THAT(sources("m"), ElementsAre("two", "one"));
  const HistoryEntry newest = history_.entries("m").front();
  EXPECT_EQ(newest.number, 2U);
  EXPECT_EQ(newest.bytes, 3U);
  EXPECT_EQ(newest.hash, sha256_hex("two"));
  EXPECT_THAT(newest.deployed_at, MatchesRegex("20..-..-..T..:..:..\\....Z"));
  EXPECT_THAT(history_.entries("nobody"), IsEmpty());
}

TEST_F(HistoryTest, the_last_twenty_stay_and_numbers_go_on) {
  for (int i = 1; i <= 30; ++i) add("m", "version " + std::to_string(i));
  const auto entries = history_.entries("m");
  ASSERT_THAT(entries, SizeIs(20));
  EXPECT_EQ(entries.front().number, 30U);
  EXPECT_EQ(entries.back().number, 11U);
  EXPECT_THAT(files_.files(), SizeIs(20));
}

TEST_F(HistoryTest, a_source_that_is_newest_already_is_not_noted_again) {
  EXPECT_TRUE(add("m", "one")->is_new);
  EXPECT_FALSE(add("m", "one")->is_new);
  EXPECT_THAT(sources("m"), ElementsAre("one"));
}

TEST_F(HistoryTest, a_source_that_comes_back_moves_to_the_top) {
  for (const char* source : {"one", "two", "three", "one"}) add("m", source);
  EXPECT_THAT(sources("m"), ElementsAre("one", "three", "two"));
}

TEST_F(HistoryTest, what_was_added_can_be_taken_back) {
  add("m", "one");
  history_.drop("m", add("m", "two")->entry);
  EXPECT_THAT(sources("m"), ElementsAre("one"));
}

TEST_F(HistoryTest, a_text_that_was_never_live_says_so_and_takes_no_place_of_one_that_was) {
  add("m", "one");
  EXPECT_TRUE(history_.add("m", sha256_hex("broken"), "broken", /*was_live=*/false)->is_new);
  EXPECT_FALSE(history_.add("m", sha256_hex("broken"), "broken", /*was_live=*/false)->is_new);
  EXPECT_TRUE(add("m", "broken")->is_new) << "now it is live";
  history_.add("m", sha256_hex("one"), "one", /*was_live=*/false);
  history_.prune("m");
  std::vector<bool> were_live;
  for (const HistoryEntry& entry : history_.entries("m")) were_live.push_back(entry.was_live);
  EXPECT_THAT(sources("m"), ElementsAre("one", "broken", "broken", "one"));
  EXPECT_THAT(were_live, ElementsAre(false, true, false, true));
}

TEST_F(HistoryTest, a_damaged_version_is_told_apart) {
  const HistoryEntry entry = add("m", "one")->entry;
  files_.write(files_.files().front(), "oNe");
  EXPECT_EQ(history_.read("m", entry).error().number, EBADMSG);
  // And is written anew when it is the newest and cut short.
  files_.write(files_.files().front(), "");
  EXPECT_TRUE(add("m", "one")->is_new);
  EXPECT_EQ(sources("m").front(), "one");
}

TEST_F(HistoryTest, files_of_others_are_no_versions) {
  add("m", "one");
  for (const char* name : {"notes.txt", "000009-short.c",
                           "x-"
                           "0000.c"})
    files_.write(std::string(".history/m/") + name, "");
  EXPECT_THAT(sources("m"), ElementsAre("one"));
}

TEST_F(HistoryTest, on_a_full_disk_nothing_is_left_behind) {
  add("m", "one");
  with_failing({.number = SCMP_SYS(write), .error = ENOSPC},
               [&] { EXPECT_EQ(history_.add("m", sha256_hex("two"), "two").error().number, ENOSPC); });
  EXPECT_THAT(files_.files(), SizeIs(1));
}

TEST_F(HistoryTest, of_modules_that_are_gone_the_last_hundred_are_kept) {
  add("live", "x");
  for (size_t i = 0; i < History::most_gone + 5; ++i) {
    const std::string name = "gone " + std::to_string(i);
    add(name, "x");
    const auto time = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1000 - static_cast<int>(i));
    std::filesystem::last_write_time(files_.path(".history/" + file_stem(name)), time);
  }
  std::filesystem::last_write_time(files_.path(".history/live"), std::filesystem::file_time_type::min());
  history_.forget_gone({"live"});
  EXPECT_THAT(history_.entries("live"), SizeIs(1));
  EXPECT_THAT(history_.entries("gone 4"), IsEmpty());
  EXPECT_THAT(history_.entries("gone 5"), SizeIs(1));
  EXPECT_THAT(files_.files(), SizeIs(1 + History::most_gone));
}

}  // namespace
}  // namespace cweb::store
