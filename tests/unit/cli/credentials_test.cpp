#include "cli/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "temporary_directory.h"

namespace cweb::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class CredentialsFile : public testing::Test {
 protected:
  mode_t mode(const std::string& path) const {
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path("config/cweb/credentials");
};

TEST_F(CredentialsFile, gives_a_key_to_the_server_that_it_was_saved_for_and_to_no_other) {
  EXPECT_EQ(saved_key(path_, "http://localhost:8080"), "");
  ASSERT_TRUE(save_key(path_, "http://localhost:8080", "one"));
  ASSERT_TRUE(save_key(path_, "https://localhost:8080", "two"));
  ASSERT_TRUE(save_key(path_, "http://localhost:8080", "three"));
  EXPECT_EQ(saved_key(path_, "http://localhost:8080"), "three");
  EXPECT_EQ(saved_key(path_, "https://localhost:8080"), "two");
  for (const char* other :
       {"http://localhost:80", "http://localhost:808", "http://localhost:80801", "http://localhost"}) {
    EXPECT_EQ(saved_key(path_, other), "") << other;
  }
}

TEST_F(CredentialsFile, is_its_owner_s_alone_with_its_directory) {
  const mode_t before = umask(0);
  const auto saved = save_key(path_, "http://a:1", "key");
  umask(before);
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(mode(path_), 0600U);
  EXPECT_EQ(mode(directory_.path("config/cweb")), 0700U);
  EXPECT_THAT(directory_.files(), ElementsAre("config/cweb/credentials"));
}

TEST_F(CredentialsFile, that_others_may_read_is_refused_with_the_command_that_mends_it) {
  ASSERT_TRUE(save_key(path_, "http://a:1", "key"));
  for (const mode_t open_mode : {0640U, 0604U, 0620U}) {
    chmod(path_.c_str(), open_mode);
    const auto key = saved_key(path_, "http://a:1");
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, HasSubstr("chmod 600 " + path_));
    EXPECT_FALSE(save_key(path_, "http://a:1", "other"));
  }
  chmod(path_.c_str(), 0600);
  EXPECT_EQ(saved_key(path_, "http://a:1"), "key");
}

TEST_F(CredentialsFile, keeps_the_lines_and_comments_of_others_and_stays_a_link) {
  std::filesystem::create_directories(directory_.path("config/cweb"));
  directory_.write("real", "# mine\nhttp://b:2 bkey\r\n");
  chmod(directory_.path("real").c_str(), 0600);
  std::filesystem::create_symlink(directory_.path("real"), path_);
  ASSERT_TRUE(save_key(path_, "http://a:1", "akey"));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_THAT(directory_.read("real"),
              AllOf(HasSubstr("# mine\n"), HasSubstr("http://b:2 bkey"), HasSubstr("a:1 akey")));
  EXPECT_EQ(saved_key(path_, "http://b:2"), "bkey");
}

TEST_F(CredentialsFile, loses_no_key_of_two_that_are_saved_at_once) {
  const auto save_many = [&](const std::string& host) {
    for (int port = 1; port <= 20; ++port) {
      EXPECT_TRUE(save_key(path_, "http://" + host + ":" + std::to_string(port), host));
    }
  };
  std::thread other([&] { save_many("b"); });
  save_many("a");
  other.join();
  for (int port = 1; port <= 20; ++port) {
    EXPECT_EQ(saved_key(path_, "http://a:" + std::to_string(port)), "a");
    EXPECT_EQ(saved_key(path_, "http://b:" + std::to_string(port)), "b");
  }
}

TEST_F(CredentialsFile, that_cannot_be_written_is_told_of) {
  directory_.write("config", "a file where a directory should be");
  const auto saved = save_key(path_, "http://a:1", "key");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, HasSubstr("the key is not saved: "));
}

TEST(CredentialsPath, is_below_the_configuration_s_directory) {
  setenv("HOME", "/home/x", 1);
  unsetenv("XDG_CONFIG_HOME");
  EXPECT_EQ(credentials_path(), "/home/x/.config/cweb/credentials");
  setenv("XDG_CONFIG_HOME", "relative", 1);
  EXPECT_EQ(credentials_path(), "/home/x/.config/cweb/credentials");
  setenv("XDG_CONFIG_HOME", "/etc/xdg", 1);
  EXPECT_EQ(credentials_path(), "/etc/xdg/cweb/credentials");
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("HOME");
  EXPECT_FALSE(credentials_path());
}

TEST(KeyText, is_what_fits_into_a_header) {
  EXPECT_EQ(key_fault("0123-abc!"), "");
  for (const char* bad : {"", "a b", "a\r\nX: y", "k\xc3\xa4y", "a\x7f"}) EXPECT_NE(key_fault(bad), "") << bad;
}

}  // namespace
}  // namespace cweb::cli
