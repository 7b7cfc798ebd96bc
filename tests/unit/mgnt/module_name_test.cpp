#include "mgnt/module_name.h"

#include <gtest/gtest.h>

namespace cweb::mgnt {
namespace {

TEST(GuessModuleName, finds_the_name_in_the_initialiser_of_config) {
  EXPECT_EQ(guess_module_name("#include <cweb.h>\nexport module_t config = {\n  .name = \"counter\",\n  .size = 1};"),
            "counter");
  EXPECT_EQ(guess_module_name("module_t config={.size=1,.name=\"counter\"};"), "counter");
}

TEST(GuessModuleName, is_not_misled_by_comments_strings_and_characters) {
  EXPECT_EQ(guess_module_name("// .name = \"wrong\",\n/* .name = \"wrong\", */ char q = '\"';\n"
                              "const char *s = \".name = \\\"wrong\\\",\";\n"
                              "module_t config = {. /* really */ name /**/ = // yes\n \"right\" };"),
            "right");
}

TEST(GuessModuleName, prefers_config_to_other_structures) {
  EXPECT_EQ(guess_module_name("struct item a = {.name = \"item\"}; module_t config = {.name = \"module\"};"), "module");
  EXPECT_EQ(guess_module_name("struct item a = {.name = \"item\"};"), "item");
}

TEST(GuessModuleName, is_empty_when_the_name_is_not_one_plain_string) {
  for (const char* source :
       {"", "not C at all", "module_t config = {\"positional\"};", "module_t config = {.name = NAME};",
        "module_t config = {.name = \"a\" \"b\"};", "module_t config = {.name = \"a\\x62\"};",
        "struct item a = {.name = \"item\"}; module_t config = {.name = NAME};", "config = {.name = \"unterminated",
        "x->name = \"other\";", "/* .name = \"a\","}) {
    EXPECT_EQ(guess_module_name(source), "") << source;
  }
}

}  // namespace
}  // namespace cweb::mgnt
