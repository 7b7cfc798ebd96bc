#include "cli/terminal_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cweb::cli {
namespace {

using testing::EndsWith;

TEST(HarmlessText, has_nothing_that_a_terminal_obeys) {
  EXPECT_EQ(harmless("a\033[31mb\033]0;title\007c"), "a?[31mb?]0;title?c");
  EXPECT_EQ(harmless("tab\tline\nend\r\n"), "tab\tline\nend\n");
  EXPECT_EQ(harmless("over\rwritten\b\x7f"), "over?written??");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "31m"),
            "?31m");
  EXPECT_EQ(harmless("\xff\xc3"), "??");
  EXPECT_EQ(harmless("a\u202eb\u2066c\u200f"), "a?b?c?");
  EXPECT_EQ(harmless("\u00e4\u20ac\U0001f600"), "\u00e4\u20ac\U0001f600");
}

TEST(HarmlessText, of_one_line_is_one_and_not_endless) {
  EXPECT_EQ(one_line("a\nb\tc\n"), "a b c");
  const std::string cut = one_line(std::string(499, 'x') + "\u20ac" + std::string(1000, 'y'));
  EXPECT_EQ(cut, std::string(499, 'x') + "...");
}

TEST(ReadableNumbers, are_short) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1024), "1.0 KiB");
  EXPECT_EQ(readable_bytes(12'595), "12.3 KiB");
  EXPECT_EQ(readable_bytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(readable_bytes(~0ULL), "16.0 EiB");
  EXPECT_EQ(readable_ms(4.12), "4.1 ms");
  EXPECT_EQ(readable_ms(2345), "2.3 s");
}

TEST(TextTable, is_aligned_by_characters_and_ends_no_line_with_blanks) {
  Table table({{"NAME"}, {"CALLS", Table::Align::right}, {"STATE"}});
  table.add({"b\u00e4r", "7", ""});
  table.add({"counter", "12345", "live"});
  EXPECT_EQ(table.text(false),
            "NAME     CALLS  STATE\n"
            "b\u00e4r          7\n"
            "counter  12345  live\n");
  EXPECT_EQ(table.text(true).substr(0, 27), "\033[1mNAME     CALLS  STATE\033[");
}

TEST(TextTable, cuts_long_cells_and_makes_them_harmless) {
  Table table({{"NAME"}});
  table.add({std::string(59, 'x') + "\u00e4\u00e4\u00e4"});
  table.add({"a\033[2J\nb"});
  EXPECT_EQ(table.text(false), "NAME\n" + std::string(57, 'x') + "...\na?[2J b\n");
}

TEST(Colours, are_for_terminals) {
  EXPECT_EQ(coloured(false, Colour::error, "x"), "x");
  EXPECT_EQ(coloured(true, Colour::error, "x"), "\033[0;1;31mx\033[0m");
  EXPECT_FALSE(wants_colours(-1));
}

}  // namespace
}  // namespace cweb::cli
