#include "mgnt/admin_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AdminKey, matches_itself_and_nothing_else) {
  const auto key = AdminKey::create("correct-horse-battery", false);
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->matches("correct-horse-battery"));
  for (const std::string sent : {"", "c", "correct-horse-batter", "correct-horse-battery ", "correct-horse-batterY",
                                 "Correct-horse-battery", "xorrect-horse-battery"}) {
    EXPECT_FALSE(key->matches(sent)) << sent;
  }
  EXPECT_FALSE(key->matches(std::string("correct-horse-battery\0", 22)));
  EXPECT_FALSE(key->matches(std::string(1 << 16, 'c')));
}

TEST(AdminKey, development_takes_a_short_one_and_production_does_not) {
  EXPECT_TRUE(AdminKey::create("x", false));
  EXPECT_TRUE(AdminKey::create(std::string(16, 'x'), true));
  const auto refused = AdminKey::create(std::string(15, 'q'), true);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("at least 16 characters"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("qqq"))) << "messages reach logs";
}

TEST(AdminKey, what_no_header_can_carry_is_no_key) {
  EXPECT_THAT(AdminKey::create("", false).error().message, HasSubstr("empty"));
  EXPECT_TRUE(AdminKey::create(std::string(AdminKey::longest, 'x'), false));
  EXPECT_FALSE(AdminKey::create(std::string(AdminKey::longest + 1, 'x'), false));
  for (const char* text : {"two words", " x", "x\n", "x\ty", "schl\xc3\xbcssel", "\x7f"}) {
    EXPECT_FALSE(AdminKey::create(text, false)) << text;
  }
}

}  // namespace
}  // namespace cweb::mgnt
