#include "cli/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace cweb::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The process's environment for the length of a test: just these lines.
class Environment {
 public:
  explicit Environment(std::vector<std::string> lines) : lines_(std::move(lines)) {
    for (std::string& line : lines_) pointers_.push_back(line.data());
    pointers_.push_back(nullptr);
    environ = pointers_.data();
  }
  ~Environment() { environ = before_; }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const std::string& line(size_t index) const { return lines_[index]; }

 private:
  char** const before_ = environ;
  std::vector<std::string> lines_;
  std::vector<char*> pointers_;
};

/// A file without a name in any directory.
class SecretFile {
 public:
  explicit SecretFile(const std::string& text) : fd_(memfd_create("secret", MFD_CLOEXEC)) {
    EXPECT_EQ(write(fd_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  UniqueFd fd_;
};

TEST(Secrets, a_variable_too_long_to_be_a_key_is_refused_and_taken_all_the_same) {
  const Environment environment({"CWEB_ADMIN_KEY=" + std::string(16 * 1024 + 1, 'x')});
  const auto taken = take_admin_key("");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("too long"));
  EXPECT_EQ(getenv("CWEB_ADMIN_KEY"), nullptr);
}

TEST(Secrets, a_variable_that_is_taken_is_neither_found_nor_left_in_its_memory) {
  const Environment environment(
      {"A=1", "CWEB_ADMIN_KEY=top-secret", "B=2", "CWEB_ADMIN_KEY=second", "CWEB_ADMIN_KEYS=x"});
  EXPECT_EQ(take_variable("CWEB_ADMIN_KEY"), "top-secret");
  EXPECT_EQ(getenv("CWEB_ADMIN_KEY"), nullptr);
  EXPECT_THAT(environment.line(1), Not(HasSubstr("secret")));
  EXPECT_THAT(environment.line(3), Not(HasSubstr("second"))) << "a name that is there twice";
  EXPECT_STREQ(getenv("A"), "1");
  EXPECT_STREQ(getenv("B"), "2");
  EXPECT_STREQ(getenv("CWEB_ADMIN_KEYS"), "x");
  EXPECT_EQ(take_variable("CWEB_ADMIN_KEY"), std::nullopt);
}

TEST(Secrets, an_empty_variable_is_not_a_missing_one) {
  const Environment environment({"CWEB_ADMIN_KEY="});
  EXPECT_EQ(take_admin_key("").value(), "");
  EXPECT_EQ(take_admin_key("").value(), std::nullopt);
}

TEST(Secrets, a_file_holds_the_key_with_or_without_a_line_end) {
  const Environment environment({});
  for (const char* text : {"key-of-a-file", "key-of-a-file\n", "key-of-a-file\r\n"}) {
    EXPECT_EQ(take_admin_key(SecretFile(text).path()).value(), "key-of-a-file") << text;
  }
  EXPECT_EQ(take_admin_key(SecretFile("two\nlines\n").path()).value(), "two\nlines") << "nothing else is guessed away";
  EXPECT_EQ(take_admin_key(SecretFile("").path()).value(), "");
}

TEST(Secrets, a_file_that_cannot_be_read_or_is_no_key_is_named) {
  const Environment environment({});
  EXPECT_THAT(take_admin_key("/nowhere/key").error().message, HasSubstr("/nowhere/key"));
  EXPECT_FALSE(take_admin_key("/proc/self"));
  EXPECT_FALSE(take_admin_key("/dev/zero"));
}

TEST(Secrets, two_keys_are_an_error_and_the_variable_is_gone_all_the_same) {
  const Environment environment({"CWEB_ADMIN_KEY=top-secret"});
  const auto taken = take_admin_key(SecretFile("other").path());
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("twice"));
  EXPECT_THAT(environment.line(0), Not(HasSubstr("secret")));
}

TEST(Secrets, the_read_key_is_taken_like_the_other_and_from_its_own_places) {
  {
    const Environment environment({"CWEB_READ_KEY=for reading", "CWEB_ADMIN_KEY=for all"});
    EXPECT_EQ(*take_read_key(""), "for reading");
    EXPECT_EQ(getenv("CWEB_READ_KEY"), nullptr);
    EXPECT_STREQ(getenv("CWEB_ADMIN_KEY"), "for all");
  }
  const SecretFile file("for reading\n");
  EXPECT_EQ(*take_read_key(file.path()), "for reading");
  EXPECT_THAT(take_read_key("/no/such/file").error().message, HasSubstr("--read-key-file /no/such/file"));
  const Environment environment({"CWEB_READ_KEY=x"});
  EXPECT_THAT(take_read_key(file.path()).error().message, HasSubstr("the read key is given twice"));
}

TEST(Secrets, a_key_that_is_made_is_long_and_another_one_each_time) {
  const std::string key = make_key();
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(key, make_key());
}

}  // namespace
}  // namespace cweb::cli
