#include "server/response_page.h"

#include <cweb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace cweb::server {
namespace {

bool all_zero(const ResponsePage& page) {
  return std::all_of(page.body(), page.body() + HTTP_RESPONSE_SIZE, [](char c) { return c == 0; });
}

/// A handler may write anywhere, whatever its answer is.
TEST(ResponsePage, is_zero_again_whichever_byte_was_written_and_whatever_is_said_of_it) {
  ResponsePage& page = ResponsePage::of_this_thread();
  constexpr std::array<size_t, 8> answers{0, 1, 255, 256, 257, 4096, HTTP_RESPONSE_SIZE - 1, HTTP_RESPONSE_SIZE};
  for (const size_t said : answers) {
    for (size_t at = 0; at < HTTP_RESPONSE_SIZE; ++at) {
      page.body()[at] = static_cast<char>(1 << at % 8);
      page.written(said);
      page.clear();
      ASSERT_EQ(page.body()[at], 0) << "byte " << at << " after an answer of " << said;
    }
    ASSERT_TRUE(all_zero(page)) << said;
  }
}

TEST(ResponsePage, is_zero_again_after_all_of_it_was_written) {
  ResponsePage& page = ResponsePage::of_this_thread();
  std::fill_n(page.body(), HTTP_RESPONSE_SIZE, 'x');
  page.clear();
  EXPECT_TRUE(all_zero(page));
}

}  // namespace
}  // namespace cweb::server
