#include "base/ascii.h"

#include <gtest/gtest.h>

namespace cweb {
namespace {

TEST(Ascii, letters_are_the_same_in_either_case_and_nothing_else_is) {
  for (int left = 0; left < 256; ++left) {
    for (int right = 0; right < 256; ++right) {
      const char a = static_cast<char>(left);
      const char b = static_cast<char>(right);
      const bool is_letter_pair =
          left < 128 && right < 128 && (left ^ right) == 0x20 && (left | 0x20) >= 'a' && (left | 0x20) <= 'z';
      EXPECT_EQ(same_ignoring_case({&a, 1}, {&b, 1}), left == right || is_letter_pair) << left << " " << right;
    }
  }
}

TEST(Ascii, texts_of_different_length_differ) {
  EXPECT_TRUE(same_ignoring_case("Content-Type", "content-tYPE"));
  EXPECT_TRUE(same_ignoring_case("", ""));
  EXPECT_FALSE(same_ignoring_case("Content-Type", "Content-Typ"));
  EXPECT_FALSE(same_ignoring_case("", "a"));
}

}  // namespace
}  // namespace cweb
