// A precompiled block of #include lines must not be noticed but by the clock: the second compile of a source, which
// uses it, says exactly what the first one said.
#include <gmock/gmock.h>

#include "module_sources.h"

namespace cweb::jit {
namespace {

using ::testing::HasSubstr;

class PreambleTest : public CompilerTest {
 protected:
  /// Compiled without a preamble, with one, and with one that was made for `other`.
  static void expect_the_same_each_time(const std::string& source) {
    const std::string first = said(source);
    EXPECT_EQ(first, said(source)) << source;
    EXPECT_EQ(first, said(source)) << source;
  }

  static std::string said(const std::string& source) {
    const auto outcome = compile(source);
    return outcome ? outcome->rendered : outcome.error().rendered;
  }
};

constexpr const char* code =
    "static int f(const char *text) {\n  char *copy = text;\n  return x;\n}\nexport module_t config = {.name = "
    "\"a\"};\n";

TEST_F(PreambleTest, messages_are_the_same_with_and_without_one) {
  const std::string source = std::string("#include <time.h>\n#include <cweb.h>\n") + code;
  expect_the_same_each_time(source);
  EXPECT_THAT(said(source), HasSubstr("module.c:5:10: error: use of undeclared identifier 'x'\n    5 |   return x;\n"));
}

TEST_F(PreambleTest, comments_of_any_length_before_and_between_the_includes_move_lines_alone) {
  const std::string plain = std::string("#include <math.h>\n#include <cweb.h>\n") + code;
  said(plain);
  said(plain);
  // The same includes, known already; each text has another length.
  for (const char* includes :
       {"/* A comment that is longer than both of the include lines taken together, so that it covers them all. */\n"
        "#include <math.h>\n#include <cweb.h>\n",
        "#include <math.h> // why\n\n\n/* two\n   lines */\n  #  include <cweb.h>\n",
        "//\n#include <math.h>\n#include <cweb.h>\n", "#include <math.h>\n#include <cweb.h>",
        "\n\n\n\n#include <math.h>\n\t#include <cweb.h> /* x */\n", "#include<math.h>\r\n#include <cweb.h>\r\n"}) {
    const std::string source = std::string(includes) + (std::string_view(includes).ends_with("\n") ? "" : "\n") + code;
    const auto line = std::count(source.begin(), source.begin() + static_cast<long>(source.find("return x")), '\n') + 1;
    EXPECT_THAT(said(source),
                HasSubstr("module.c:" + std::to_string(line) + ":10: error: use of undeclared identifier 'x'"))
        << source;
    EXPECT_THAT(said(source), HasSubstr("warning: initializing 'char *'")) << source;
    expect_the_same_each_time(source);
  }
}

TEST_F(PreambleTest, a_warning_in_the_preamble_is_said_each_time) {
  const std::string source =
      std::string("#include <cweb.h>\n#define A 1\n#define A 2\n#warning careful\n#include <wchar.h>\n") + code;
  EXPECT_THAT(said(source), HasSubstr("module.c:4:2: warning: careful"));
  EXPECT_THAT(said(source), HasSubstr("'A' macro redefined"));
  expect_the_same_each_time(source);
}

TEST_F(PreambleTest, an_error_in_the_preamble_is_said_each_time) {
  expect_the_same_each_time(std::string("#include <cweb.h>\n#error no\n#include <wctype.h>\n") + code);
  expect_the_same_each_time(std::string("#include <cweb.h>\n#include <nowhere.h>\n") + code);
}

TEST_F(PreambleTest, conditions_around_the_includes_count) {
  expect_the_same_each_time(std::string("#define WANT 1\n#if WANT\n#include <cweb.h>\n#endif\n") + code);
  expect_the_same_each_time(std::string("#ifndef GUARD\n#define GUARD\n#include <cweb.h>\n") + code + "#endif\n");
  expect_the_same_each_time(std::string("#if 1\n#include <cweb.h>\n") + code);
}

TEST_F(PreambleTest, a_preamble_for_one_source_is_not_used_for_another) {
  const std::string ten =
      module_with("_Static_assert(sizeof(((module_t*)0)->routes) / sizeof(route_info_t) == 10, \"\");");
  const std::string many =
      "#define CWEB_MAX_ROUTES 64\n" +
      module_with("_Static_assert(sizeof(((module_t*)0)->routes) / sizeof(route_info_t) == 64, \"\");");
  for (int round = 0; round < 3; ++round) {
    compilation(ten);
    compilation(many);
  }
}

TEST_F(PreambleTest, what_includes_look_like_inside_text_stays_text) {
  expect_the_same_each_time(std::string("#include <cweb.h>\n/*\n#include <nowhere.h>\n*/\n") + code);
  expect_the_same_each_time(std::string("#include <cweb.h> /* a\n*/ int y = x;\n") + code);
  expect_the_same_each_time(std::string("#include <cweb.h>\nint y; /* \\\n */ #include <x>\n") + code);
}

TEST_F(PreambleTest, notes_that_point_into_the_preamble_name_the_sources_lines) {
  const std::string source = "#define COUNT 3\n#include <cweb.h>\nint COUNT;\nvoid *printf(int);\nint config;\n";
  EXPECT_THAT(said(source), HasSubstr("module.c:1:15: note: expanded from macro 'COUNT'\n    1 | #define COUNT 3\n"));
  expect_the_same_each_time(source);
  expect_the_same_each_time(
      "/* a\n b */\n\n#include <math.h>\n// c\n#include <cweb.h>\nvoid *fopen(int);\nint sqlite3_open;\n");
  expect_the_same_each_time("#define COUNT 3\n#include <cweb.h>\n#undef COUNT\n#define NULL 5\nint x = y;\n");
}

TEST_F(PreambleTest, positions_of_config_are_the_sources_own) {
  const std::string tail = "#include <cweb.h>\nexport module_t config = {.name = \"a\"};\n";
  compilation(tail);
  EXPECT_EQ(compilation(tail).facts.config_position.line, 2U);
  EXPECT_EQ(compilation("/* one\n two\n three */\n\n" + tail).facts.config_position.line, 6U);
}

TEST_F(PreambleTest, many_different_preambles_are_all_right) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 15; ++i) {
      const std::string n = std::to_string(i);
      compilation("#define WHICH " + n + "\n" + module_with("_Static_assert(WHICH == " + n + ", \"\");"));
    }
  }
}

}  // namespace
}  // namespace cweb::jit
