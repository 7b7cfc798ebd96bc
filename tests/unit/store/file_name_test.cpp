#include "store/file_name.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace cweb::store {
namespace {

/// Undoes file_stem for names that were not cut.
std::string read_back(const std::string& stem) {
  std::string name;
  for (size_t i = 0; i < stem.size(); ++i) {
    if (stem[i] != '%') {
      name += stem[i];
      continue;
    }
    name += static_cast<char>(std::stoi(stem.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return name;
}

TEST(FileNameTest, an_ordinary_name_is_the_file_s_name) {
  for (const char* name : {"counter", "chat room", "a.b", "x-y_z", "~", "#1"}) {
    EXPECT_EQ(file_name(name), std::string(name) + ".c");
  }
}

TEST(FileNameTest, no_name_makes_a_hidden_file_or_leaves_the_directory) {
  EXPECT_EQ(file_name(".hidden"), "%2Ehidden.c");
  EXPECT_EQ(file_name("a/b"), "a%2Fb.c");
  EXPECT_EQ(file_name("50%"), "50%25.c");
  EXPECT_EQ(file_name("\n"), "%0A.c");
}

TEST(FileNameTest, every_pair_of_bytes_has_a_name_of_its_own_that_reads_back) {
  std::set<std::string> seen;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string name{static_cast<char>(first), static_cast<char>(second)};
      const std::string stem = file_stem(name);
      EXPECT_EQ(read_back(stem), name);
      EXPECT_TRUE(is_module_file(file_name(name)));
      EXPECT_TRUE(seen.insert(stem).second) << stem;
    }
  }
}

TEST(FileNameTest, the_longest_names_fit_and_differ) {
  const std::string percents(127, '%');
  const std::string others = percents.substr(1) + "!";
  for (const std::string& name : {percents, others, std::string(127, 'n')}) {
    EXPECT_LE(file_name(name, 99).size(), 255U);
    EXPECT_TRUE(is_module_file(file_name(name, 99)));
  }
  EXPECT_NE(file_stem(percents), file_stem(others));
  EXPECT_EQ(read_back(file_stem(std::string(79, '%'))), std::string(79, '%'));
}

TEST(FileNameTest, another_attempt_is_no_other_module_s_name) {
  EXPECT_EQ(file_name("counter", 2), "counter%2.c");
  EXPECT_EQ(file_name("counter%2"), "counter%252.c");
}

TEST(FileNameTest, files_of_editors_are_no_modules) {
  for (const char* name : {".counter.c.swp", "counter.c~", "#counter.c#", ".#counter.c", "4913", ".c", "counter.h", "c",
                           ".cache", ".history", "counter.c.bak"}) {
    EXPECT_FALSE(is_module_file(name)) << name;
  }
  EXPECT_TRUE(is_module_file("counter.c"));
}

}  // namespace
}  // namespace cweb::store
