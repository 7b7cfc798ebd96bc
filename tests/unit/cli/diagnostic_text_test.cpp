#include "cli/diagnostic_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cweb::cli {
namespace {

constexpr const char* rendered =
    "In file included from module.c:2:\n"
    "In file included from own.h:1:\n"
    "deep.h:3:5: warning: odd [-Wodd]\n"
    "    3 |     odd\n"
    "      |     ^\n"
    "module.c:11:62: error: undeclared 'coutn'; did you mean 'count'?\n"
    "   11 |     ++coutn;\n"
    "      |       ^~~~~\n"
    "      |       count\n"
    "module.c:6:30: note: 'count' declared here\n"
    "    6 | int count;\n"
    "      |     ^\n"
    "1 warning and 1 error generated.\n";

TEST(DiagnosticText, calls_the_source_as_the_user_does_and_headers_by_their_names) {
  EXPECT_EQ(diagnostic_text(rendered, "src/counter.c", "", false),
            "In file included from src/counter.c:2:\n"
            "In file included from own.h:1:\n"
            "deep.h:3:5: warning: odd [-Wodd]\n"
            "    3 |     odd\n"
            "      |     ^\n"
            "src/counter.c:11:62: error: undeclared 'coutn'; did you mean 'count'?\n"
            "   11 |     ++coutn;\n"
            "      |       ^~~~~\n"
            "      |       count\n"
            "src/counter.c:6:30: note: 'count' declared here\n"
            "    6 | int count;\n"
            "      |     ^\n"
            "1 warning and 1 error generated.\n");
}

TEST(DiagnosticText, has_clang_s_colours) {
  EXPECT_EQ(diagnostic_text("module.c:1:2: error: wrong\n"
                            "    1 | x\n"
                            "      | ^\n"
                            "      | y\n"
                            "a.h:2:1: note: here\n"
                            "module.c:3: warning: whole line\n",
                            "m.c", "", true),
            "\033[1mm.c:1:2: \033[0m\033[0;1;31merror: \033[0m\033[1mwrong\033[0m\n"
            "    1 | x\n"
            "      |\033[0;1;32m ^\033[0m\n"
            "      |\033[0;32m y\033[0m\n"
            "\033[1ma.h:2:1: \033[0m\033[0;1;36mnote: \033[0mhere\n"
            "\033[1mm.c:3: \033[0m\033[0;1;35mwarning: \033[0m\033[1mwhole line\033[0m\n");
}

TEST(DiagnosticText, shows_the_local_lines_where_the_server_leaves_them_out) {
  EXPECT_EQ(diagnostic_text("module.c:2:5: error: wrong\n"
                            "other.h:2:1: note: not ours\n"
                            "module.c:3:4: note: there\n"
                            "module.c:9:1: error: beyond the end\n"
                            "2 errors generated.\n",
                            "m.c", "int a;\n\tx = \"\xc3\xa4\";\r\n\"\xc3\xa4\" + y\033[2J\n", false),
            "m.c:2:5: error: wrong\n"
            "    2 | \tx = \"\xc3\xa4\";\n"
            "      | \t   ^\n"
            "other.h:2:1: note: not ours\n"
            "m.c:3:4: note: there\n"
            "    3 | \"\xc3\xa4\" + y?[2J\n"
            "      |   ^\n"
            "m.c:9:1: error: beyond the end\n"
            "2 errors generated.\n");
}

TEST(DiagnosticText, lets_no_message_pass_for_another_line) {
  // What is in the middle of a line is no place of the source's.
  EXPECT_EQ(diagnostic_text("x module.c:1:2: y\nerror: no place: error: really\nmodule.cc:1:1: error: other\n", "m.c",
                            "", false),
            "x module.c:1:2: y\nerror: no place: error: really\nmodule.cc:1:1: error: other\n");
  EXPECT_EQ(diagnostic_text("module.c:1:1: error: \033]0;x\007\n", "m.c", "", false), "m.c:1:1: error: ?]0;x?\n");
}

}  // namespace
}  // namespace cweb::cli
