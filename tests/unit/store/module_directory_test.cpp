#include "store/module_directory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "store/digest.h"
#include "temporary_directory.h"
#include "unit/failing_calls.h"

namespace cweb::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = FileError::Kind;

constexpr size_t longest = 10'000;

class ModuleDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = ModuleDirectory::open(files_.path(), longest);
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }

  FileResult<void> put(const std::string& file, const std::string& text, const std::optional<std::string>& before) {
    auto staged = directory_->stage(text, sha256_hex(text));
    if (!staged) return std::unexpected(staged.error());
    return directory_->put(*staged, file, before ? std::optional(sha256_hex(*before)) : std::nullopt);
  }

  TemporaryDirectory files_;
  std::unique_ptr<ModuleDirectory> directory_;
};

TEST_F(ModuleDirectoryTest, a_text_is_put_replaced_and_removed_and_nothing_else_stays) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  EXPECT_EQ(files_.read("a.c"), "first");
  ASSERT_TRUE(put("a.c", "second", "first"));
  EXPECT_EQ(files_.read("a.c"), "second");
  EXPECT_THAT(files_.files(), ElementsAre("a.c"));
  ASSERT_TRUE(directory_->remove("a.c", sha256_hex("second")));
  EXPECT_THAT(files_.files(), IsEmpty());
}

TEST_F(ModuleDirectoryTest, the_mode_of_a_file_stays) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  chmod(files_.path("a.c").c_str(), 0600);
  ASSERT_TRUE(put("a.c", "second", "first"));
  struct stat facts{};
  stat(files_.path("a.c").c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(ModuleDirectoryTest, a_file_that_somebody_changed_is_neither_replaced_nor_removed) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  files_.write("a.c", "by hand");
  EXPECT_EQ(put("a.c", "second", "first").error().kind, Kind::changed);
  EXPECT_EQ(directory_->remove("a.c", sha256_hex("first")).error().kind, Kind::changed);
  EXPECT_EQ(files_.read("a.c"), "by hand");
  EXPECT_THAT(files_.files(), ElementsAre("a.c"));
}

TEST_F(ModuleDirectoryTest, an_edit_of_the_last_moment_is_neither_replaced_nor_removed) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  const auto edit = [&] { files_.write("a.c", "by hand"); };
  const std::vector<int> renames = {SCMP_SYS(renameat), SCMP_SYS(renameat2)};
  with_interruption(renames, edit,
                    [&] { EXPECT_EQ(directory_->remove("a.c", sha256_hex("first")).error().kind, Kind::changed); });
  EXPECT_EQ(files_.read("a.c"), "by hand");
  files_.write("a.c", "first");
  with_interruption(renames, edit, [&] { EXPECT_EQ(put("a.c", "second", "first").error().kind, Kind::changed); });
  EXPECT_EQ(files_.read("a.c"), "by hand");
  EXPECT_THAT(files_.files(), ElementsAre("a.c"));
}

TEST_F(ModuleDirectoryTest, a_file_that_somebody_put_there_is_not_replaced) {
  files_.write("a.c", "by hand");
  EXPECT_EQ(put("a.c", "first", std::nullopt).error().kind, Kind::changed);
  EXPECT_EQ(files_.read("a.c"), "by hand");
}

TEST_F(ModuleDirectoryTest, a_file_that_somebody_removed_is_written_anew) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  std::filesystem::remove(files_.path("a.c"));
  ASSERT_TRUE(put("a.c", "second", "first"));
  EXPECT_EQ(files_.read("a.c"), "second");
  EXPECT_TRUE(directory_->remove("b.c", sha256_hex("never there")));
}

TEST_F(ModuleDirectoryTest, a_link_is_read_and_not_written_through) {
  const TemporaryDirectory elsewhere;
  elsewhere.write("real.c", "theirs");
  std::filesystem::create_symlink(elsewhere.path("real.c"), files_.path("a.c"));
  EXPECT_EQ(directory_->read("a.c").value(), "theirs");
  EXPECT_EQ(put("a.c", "ours", "theirs").error().kind, Kind::link);
  EXPECT_EQ(elsewhere.read("real.c"), "theirs");
  ASSERT_TRUE(directory_->remove("a.c", sha256_hex("theirs")));
  EXPECT_FALSE(files_.has("a.c"));
  EXPECT_EQ(elsewhere.read("real.c"), "theirs");
}

TEST_F(ModuleDirectoryTest, only_regular_files_of_bounded_size_are_read) {
  ASSERT_EQ(mkfifo(files_.path("pipe.c").c_str(), 0600), 0);
  std::filesystem::create_directory(files_.path("directory.c"));
  std::filesystem::create_symlink("/dev/zero", files_.path("device.c"));
  std::filesystem::create_symlink("nothing", files_.path("nowhere.c"));
  files_.write("long.c", std::string(longest + 1, 'x'));
  files_.write("whole.c", std::string(longest, 'x'));
  EXPECT_EQ(directory_->read("pipe.c").error().number, EINVAL);
  EXPECT_EQ(directory_->read("directory.c").error().number, EISDIR);
  EXPECT_EQ(directory_->read("device.c").error().number, EINVAL);
  EXPECT_EQ(directory_->read("nowhere.c").error().number, ENOENT);
  EXPECT_EQ(directory_->read("long.c").error().number, EFBIG);
  EXPECT_EQ(directory_->read("whole.c")->size(), longest);
}

TEST_F(ModuleDirectoryTest, on_a_full_disk_nothing_changes) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  for (const int call : {SCMP_SYS(write), SCMP_SYS(fsync)}) {
    with_failing({.number = call, .error = ENOSPC}, [&] {
      EXPECT_EQ(put("a.c", "second", "first").error().number, ENOSPC);
      EXPECT_EQ(put("b.c", "new", std::nullopt).error().number, ENOSPC);
    });
  }
  EXPECT_EQ(files_.read("a.c"), "first");
  EXPECT_THAT(files_.files(), ElementsAre("a.c"));
}

TEST_F(ModuleDirectoryTest, a_change_that_does_not_reach_the_disk_is_undone) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  const auto directory = static_cast<scmp_datum_t>(directory_->fd());
  with_failing({.number = SCMP_SYS(fsync), .error = EIO, .when = {SCMP_A0(SCMP_CMP_EQ, directory)}}, [&] {
    EXPECT_EQ(put("a.c", "second", "first").error().number, EIO);
    EXPECT_EQ(files_.read("a.c"), "first");
    EXPECT_EQ(put("b.c", "new", std::nullopt).error().number, EIO);
    EXPECT_EQ(directory_->remove("a.c", sha256_hex("first")).error().number, EIO);
  });
  EXPECT_EQ(files_.read("a.c"), "first");
  EXPECT_THAT(files_.files(), ElementsAre("a.c"));
}

TEST_F(ModuleDirectoryTest, a_file_system_that_cannot_exchange_names_gets_a_rename) {
  ASSERT_TRUE(put("a.c", "first", std::nullopt));
  with_failing({.number = SCMP_SYS(renameat2), .error = EINVAL, .when = {SCMP_A4(SCMP_CMP_NE, 0)}}, [&] {
    EXPECT_TRUE(put("a.c", "second", "first"));
    EXPECT_TRUE(put("b.c", "new", std::nullopt));
  });
  EXPECT_EQ(files_.read("a.c"), "second");
  EXPECT_THAT(files_.files(), ElementsAre("a.c", "b.c"));
}

TEST_F(ModuleDirectoryTest, what_a_crash_left_in_the_making_goes_at_the_next_start) {
  directory_.reset();
  files_.write(temporary_name(), "half");
  files_.write("a.c", "whole");
  files_.write(".notes", "somebody's");
  SetUp();
  EXPECT_THAT(files_.files(), ElementsAre(".notes", "a.c"));
  EXPECT_THAT(directory_->files().value(), ElementsAre("a.c"));
}

TEST_F(ModuleDirectoryTest, a_second_server_is_turned_away_until_the_first_is_gone) {
  const auto second = ModuleDirectory::open(files_.path(), longest);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another cweb server"));
  directory_.reset();
  EXPECT_TRUE(ModuleDirectory::open(files_.path(), longest));
}

TEST(ModuleDirectoryOpenTest, a_directory_is_made_where_its_parent_is_there) {
  const TemporaryDirectory parent;
  EXPECT_TRUE(ModuleDirectory::open(parent.path("modules"), longest));
  EXPECT_TRUE(std::filesystem::is_directory(parent.path("modules")));
  const auto deep = ModuleDirectory::open(parent.path("a/b"), longest);
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("make it first"));
  parent.write("file", "");
  EXPECT_THAT(ModuleDirectory::open(parent.path("file"), longest).error().message, HasSubstr("Not a directory"));
}

TEST(ModuleDirectoryOpenTest, a_directory_that_cannot_be_written_says_so_at_once) {
  const TemporaryDirectory files;
  EXPECT_EQ(ModuleDirectory::open(files.path(), longest).value()->why_read_only(), "");
  // As on a read-only file system: opening to make a file fails.
  const FailingCall failing{
      .number = SCMP_SYS(openat), .error = EROFS, .when = {SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT)}};
  with_failing(failing, [&] {
    EXPECT_THAT(ModuleDirectory::open(files.path(), longest).value()->why_read_only(), HasSubstr("Read-only"));
  });
}

}  // namespace
}  // namespace cweb::store
