// curl -d deletes every newline of a file: what can be put back is, and nothing is guessed.
#include "jit/source_repair.h"

#include <gmock/gmock.h>

namespace cweb::jit {
namespace {

using ::testing::HasSubstr;

std::string restored(std::string_view source) {
  const Expected<std::string> result = restore_newlines(source);
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result.value_or("");
}

std::string refusal(std::string_view source) {
  const Expected<std::string> result = restore_newlines(source);
  EXPECT_FALSE(result.has_value()) << *result;
  return result ? std::string() : result.error().message;
}

TEST(SourceRepair, one_long_line_with_includes_has_lost_its_newlines) {
  EXPECT_TRUE(lost_its_newlines("#include <cweb.h>int x;"));
  EXPECT_TRUE(lost_its_newlines("/* a */ # include <cweb.h>int x;"));
}

TEST(SourceRepair, sources_with_newlines_or_without_includes_have_not) {
  EXPECT_FALSE(lost_its_newlines("#include <cweb.h>\nint x;"));
  EXPECT_FALSE(lost_its_newlines("int x;"));
  EXPECT_FALSE(lost_its_newlines("name=value&code=1"));
  EXPECT_FALSE(lost_its_newlines(""));
}

TEST(SourceRepair, each_include_gets_a_line_of_its_own) {
  EXPECT_EQ(restored("#include <cweb.h>#include \"a.h\"int x;"), "#include <cweb.h>\n#include \"a.h\"\nint x;");
  EXPECT_EQ(restored("/* what it is */#include <cweb.h>int x;"), "/* what it is */\n#include <cweb.h>\nint x;");
}

TEST(SourceRepair, text_that_only_looks_like_syntax_is_left_alone) {
  const std::string_view tail =
      R"(char *a = "http://x/#include"; char b = '#'; char c = '\\'; /* // */ char *d = "\"//";)";
  EXPECT_EQ(restored(std::string("#include <cweb.h>") + std::string(tail)), "#include <cweb.h>\n" + std::string(tail));
}

TEST(SourceRepair, what_cannot_be_known_is_refused_and_the_ways_that_work_are_named) {
  for (const char* source : {"#include <cweb.h>int x; // how many int y;", "#include <cweb.h>#define N 3 int x[N];",
                             "#define N 3#include <cweb.h>", "#include <cweb.h>int x;#ifdef Aint y;#endif",
                             "#include <cweb.h>int f() { return 1 \\+ 2; }", "#include <cweb.h>%:define N 3 int x;"}) {
    const std::string message = refusal(source);
    EXPECT_THAT(message, HasSubstr("--data-binary @file")) << source;
    EXPECT_THAT(message, HasSubstr("-F code=@file")) << source;
    EXPECT_THAT(message, HasSubstr("-T file")) << source;
  }
}

TEST(SourceRepair, what_never_ends_is_refused) {
  EXPECT_THAT(refusal("#include <cweb.h>/* no end"), HasSubstr("a comment that never ends"));
  EXPECT_THAT(refusal("#include <cweb.h>char *a = \"no end;"), HasSubstr("a literal that never ends"));
}

TEST(SourceRepair, the_answer_shows_the_place) {
  EXPECT_THAT(refusal("#include <cweb.h>int x; // how many"), HasSubstr("at byte 25, `// how many`"));
}

}  // namespace
}  // namespace cweb::jit
