#include "jit/source_excerpt.h"

#include <gtest/gtest.h>

namespace cweb::jit {
namespace {

TEST(SourceExcerpt, points_a_caret_at_the_place_as_clang_does) {
  EXPECT_EQ(rendered_in_source(error_at({2, 5}, "what is wrong"), "first\n    second;\r\nthird"),
            "module.c:2:5: error: what is wrong\n"
            "    2 |     second;\n"
            "      |     ^\n");
}

TEST(SourceExcerpt, keeps_tabs_below_tabs) {
  EXPECT_EQ(rendered_in_source(error_at({1, 3}, "m"), "\tab"),
            "module.c:1:3: error: m\n"
            "    1 | \tab\n"
            "      | \t ^\n");
}

TEST(SourceExcerpt, lets_no_control_character_of_the_source_reach_a_terminal) {
  EXPECT_EQ(rendered_in_source(error_at({1, 1}, "m"), "a\x1b[31mb\x7f"),
            "module.c:1:1: error: m\n"
            "    1 | a?[31mb?\n"
            "      | ^\n");
}

TEST(SourceExcerpt, does_without_the_line_where_there_is_none) {
  EXPECT_EQ(rendered_in_source(error_at({}, "m"), "text"), "error: m\n");
  EXPECT_EQ(rendered_in_source(error_at({9, 1}, "m"), "text\n"), "module.c:9:1: error: m\n");
  EXPECT_EQ(rendered_in_source(error_at({1, 7}, "m"), "text\n"), "module.c:1:7: error: m\n");
}

}  // namespace
}  // namespace cweb::jit
