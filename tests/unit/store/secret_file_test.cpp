#include "store/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "temporary_directory.h"

namespace cweb::store {
namespace {

class SecretFileTest : public testing::Test {
 protected:
  Expected<std::string> read() const { return read_or_make_secret(directory_.path(), "secret", 32); }
  std::string file() const { return directory_.path() + "/secret"; }
  std::string refusal() const {
    const auto secret = read();
    return secret ? "" : secret.error().message;
  }

  const TemporaryDirectory directory_;
};

TEST_F(SecretFileTest, is_made_once_for_this_user_alone) {
  const auto first = read();
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->size(), 32U);
  EXPECT_EQ(*read(), *first);
  struct stat facts{};
  ASSERT_EQ(stat(file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  const TemporaryDirectory other;
  EXPECT_NE(*read_or_make_secret(other.path(), "secret", 32), *first);
}

TEST_F(SecretFileTest, one_that_others_may_have_read_or_written_is_refused) {
  ASSERT_TRUE(read().has_value());
  std::filesystem::permissions(file(), std::filesystem::perms::owner_read | std::filesystem::perms::group_read);
  EXPECT_EQ(refusal(), file() + " is not a file of this user's alone");
  std::filesystem::rename(file(), directory_.path() + "/elsewhere");
  std::filesystem::create_symlink("elsewhere", file());
  EXPECT_EQ(refusal(), file() + " is not a file of this user's alone");
}

TEST_F(SecretFileTest, one_of_another_length_is_refused_and_left_as_it_is) {
  std::ofstream(file()) << "short";
  std::filesystem::permissions(file(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(refusal(), file() + " has 5 bytes instead of 32");
  EXPECT_EQ(std::filesystem::file_size(file()), 5U);
}

TEST_F(SecretFileTest, no_directory_is_a_sentence) {
  const auto secret = read_or_make_secret("/nowhere", "secret", 32);
  ASSERT_FALSE(secret.has_value());
  EXPECT_EQ(secret.error().message, "/nowhere: No such file or directory");
}

}  // namespace
}  // namespace cweb::store
