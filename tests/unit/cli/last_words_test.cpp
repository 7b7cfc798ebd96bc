#include "cli/last_words.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace cweb::cli {
namespace {

TEST(LastWords, are_the_last_whole_lines_and_whoever_writes_never_waits) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const auto words = LastWords::listen(UniqueFd(ends[0]));
  EXPECT_EQ(words->text(), "");
  std::string last;
  {
    const UniqueFd writing(ends[1]);
    // Many times what a pipe holds: without a reader this would not return.
    for (int i = 0; i < 100'000; ++i) {
      last = "line " + std::to_string(i) + "\n";
      ASSERT_EQ(write(writing.get(), last.data(), last.size()), static_cast<ssize_t>(last.size()));
    }
    const std::string text = words->text();
    EXPECT_LE(text.size(), LastWords::most_bytes);
    EXPECT_TRUE(text.starts_with("line ")) << text.substr(0, 40);
    EXPECT_TRUE(text.ends_with(last));
  }
  EXPECT_TRUE(words->text().ends_with(last)) << "they stay when the writer is gone";
}

}  // namespace
}  // namespace cweb::cli
