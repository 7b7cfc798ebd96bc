#include "cli/new_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/include_dir.h"
#include "temporary_directory.h"

namespace cweb::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(NewModule, the_name_stands_everywhere_in_both_templates) {
  for (const bool websocket : {false, true}) {
    const std::string source = module_template({.name = "tea-room", .websocket = websocket});
    EXPECT_THAT(source, HasSubstr(".name = \"tea-room\""));
    EXPECT_THAT(source, HasSubstr("{\"/tea-room\", \"GET\""));
    EXPECT_THAT(source, Not(HasSubstr("@")));
  }
}

TEST(NewModule, a_name_becomes_a_file_and_a_path) {
  for (const char* name : {"a", "hello", "Tea_room-2", "2048"}) EXPECT_TRUE(check_module_name(name)) << name;
  for (const char* name : {"", "-x", "_", "a/b", "..", "a b", "a\"b", "naïve", "a.b", "mgnt"}) {
    EXPECT_FALSE(check_module_name(name)) << name;
  }
  EXPECT_TRUE(check_module_name(std::string(127, 'a')));
  EXPECT_FALSE(check_module_name(std::string(128, 'a')));
}

TEST(IncludeDir, is_the_prefixs_or_the_source_trees) {
  TemporaryDirectory directory;
  std::filesystem::create_directories(directory.path("usr/bin"));
  EXPECT_FALSE(include_dir_of("/nowhere/bin/cweb"));
  std::filesystem::create_directories(directory.path("usr/include"));
  directory.write("usr/include/cweb.h", "");
  EXPECT_EQ(include_dir_of(directory.path("usr/bin/cweb")).value(), directory.path("usr/include"));
  EXPECT_EQ(include_dir_of(directory.path("usr/build/release/cweb")).value(), directory.path("usr/include"));
}

}  // namespace
}  // namespace cweb::cli
