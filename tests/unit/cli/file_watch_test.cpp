#include "cli/file_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "temporary_directory.h"

namespace cweb::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// The kernel has queued an event when the call that caused it returns, so nothing is waited for: time is a number.
class FileWatchTest : public testing::Test {
 protected:
  /// What is told when everything so far happened at once and then nothing for a while.
  std::vector<std::string> saved() {
    watch_->read_events(now_);
    now_ += FileWatch::quiet_ms;
    return watch_->take_saved(now_);
  }
  std::string path(const std::string& name) const { return directory_.path(name); }

  TemporaryDirectory directory_;
  std::unique_ptr<FileWatch> watch_ = FileWatch::create().value();
  int64_t now_ = 1'000;
};

TEST_F(FileWatchTest, a_save_is_told_once_and_after_the_quiet_time) {
  directory_.write("a.c", "one");
  ASSERT_TRUE(watch_->add_file(path("a.c")));
  EXPECT_EQ(watch_->time_to_wait_ms(now_), -1);
  directory_.write("a.c", "two");
  directory_.write("other.c", "not asked for");
  watch_->read_events(1'000);
  EXPECT_EQ(watch_->time_to_wait_ms(1'010), 40);
  EXPECT_THAT(watch_->take_saved(1'049), IsEmpty());
  EXPECT_THAT(watch_->take_saved(1'050), ElementsAre(path("a.c")));
  EXPECT_THAT(watch_->take_saved(2'000), IsEmpty());
  EXPECT_EQ(watch_->time_to_wait_ms(2'000), -1);
}

TEST_F(FileWatchTest, another_event_makes_it_wait_anew_but_not_for_ever) {
  directory_.write("a.c", "one");
  ASSERT_TRUE(watch_->add_file(path("a.c")));
  for (int64_t now = 1'000; now < 2'000; now += 40) {
    directory_.write("a.c", std::to_string(now));
    watch_->read_events(now);
    ASSERT_THAT(watch_->take_saved(now), IsEmpty()) << now;
  }
  directory_.write("a.c", "again");
  watch_->read_events(1'999);
  EXPECT_THAT(watch_->take_saved(2'000), ElementsAre(path("a.c")));
}

TEST_F(FileWatchTest, every_way_of_saving_is_one) {
  directory_.write("a.c", "one");
  ASSERT_TRUE(watch_->add_file(path("a.c")));

  directory_.write("new", "by rename");
  fs::rename(path("new"), path("a.c"));
  EXPECT_THAT(saved(), ElementsAre(path("a.c"))) << "written beside it, and renamed";

  fs::rename(path("a.c"), path("a.c~"));
  directory_.write("a.c", "as vim does");
  fs::remove(path("a.c~"));
  EXPECT_THAT(saved(), ElementsAre(path("a.c")));

  fs::remove(path("a.c"));
  directory_.write("a.c", "removed and written anew");
  EXPECT_THAT(saved(), ElementsAre(path("a.c")));

  fs::remove(path("a.c"));
  EXPECT_THAT(saved(), ElementsAre(path("a.c"))) << "that it is gone is told as well";
  directory_.write("b", "a link");
  fs::create_hard_link(path("b"), path("a.c"));
  EXPECT_THAT(saved(), ElementsAre(path("a.c")));
}

TEST_F(FileWatchTest, who_is_still_writing_is_waited_for) {
  ASSERT_TRUE(watch_->add_file(path("a.c")));
  std::ofstream file(path("a.c"));
  file << "half" << std::flush;
  EXPECT_THAT(saved(), IsEmpty());
  file << " and half" << std::flush;
  EXPECT_THAT(saved(), IsEmpty());
  file.close();
  EXPECT_THAT(saved(), ElementsAre(path("a.c")));
}

TEST_F(FileWatchTest, what_a_link_leads_to_is_watched_too) {
  fs::create_directory(path("elsewhere"));
  directory_.write("elsewhere/real.c", "one");
  fs::create_symlink("elsewhere/real.c", path("a.c"));
  ASSERT_TRUE(watch_->add_file(path("a.c")));
  directory_.write("elsewhere/real.c", "two");
  EXPECT_THAT(saved(), ElementsAre(path("a.c")));

  directory_.write("elsewhere/next.c", "three");
  fs::remove(path("a.c"));
  fs::create_symlink("elsewhere/next.c", path("a.c"));
  EXPECT_THAT(saved(), ElementsAre(path("a.c")));
  directory_.write("elsewhere/next.c", "four");
  EXPECT_THAT(saved(), ElementsAre(path("a.c"))) << "the link's new target";
}

TEST_F(FileWatchTest, a_directory_tells_of_sources_alone) {
  ASSERT_TRUE(watch_->add_directory(directory_.path()));
  for (const char* name : {"a.c", "b.c", ".a.c", ".a.c.swp", "#a.c#", "a.c~", "4913", "notes.txt", ".c"}) {
    directory_.write(name, "text");
  }
  EXPECT_THAT(saved(), ElementsAre(path("a.c"), path("b.c")));
}

TEST_F(FileWatchTest, what_the_links_of_a_directory_lead_to_is_watched_too) {
  fs::create_directories(path("elsewhere"));
  fs::create_directories(path("src"));
  directory_.write("elsewhere/real.c", "one");
  fs::create_symlink("../elsewhere/real.c", path("src/a.c"));
  ASSERT_TRUE(watch_->add_directory(path("src")));
  directory_.write("elsewhere/real.c", "two");
  EXPECT_THAT(saved(), ElementsAre(path("src/a.c")));
}

TEST_F(FileWatchTest, a_directory_that_is_gone_may_come_back) {
  fs::create_directory(path("src"));
  directory_.write("src/a.c", "one");
  ASSERT_TRUE(watch_->add_file(path("src/a.c")));
  fs::remove_all(path("src"));
  EXPECT_THAT(saved(), ElementsAre(path("src/a.c")));
  EXPECT_GT(watch_->time_to_wait_ms(now_), 0) << "it is looked for";

  fs::create_directory(path("src"));
  directory_.write("src/a.c", "two");
  now_ += watch_->time_to_wait_ms(now_);
  EXPECT_THAT(watch_->take_saved(now_), IsEmpty());
  EXPECT_THAT(saved(), ElementsAre(path("src/a.c")));
  directory_.write("src/a.c", "three");
  EXPECT_THAT(saved(), ElementsAre(path("src/a.c")));
  EXPECT_EQ(watch_->time_to_wait_ms(now_), -1);
}

TEST_F(FileWatchTest, a_file_that_is_removed_from_the_watch_is_told_of_no_more) {
  ASSERT_TRUE(watch_->add_file(path("a.c")));
  ASSERT_TRUE(watch_->add_file(path("b.c")));
  directory_.write("a.c", "one");
  watch_->read_events(now_);
  watch_->remove_file(path("a.c"));
  directory_.write("a.c", "two");
  directory_.write("b.c", "one");
  EXPECT_THAT(saved(), ElementsAre(path("b.c")));
}

TEST_F(FileWatchTest, where_there_is_no_directory_nothing_can_be_watched) {
  const auto added = watch_->add_file(path("none/a.c"));
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, testing::HasSubstr(path("none") + " cannot be watched"));
  directory_.write("file", "");
  EXPECT_FALSE(watch_->add_directory(path("file")));
}

}  // namespace
}  // namespace cweb::cli
