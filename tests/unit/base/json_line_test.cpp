#include "base/json_line.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace cweb::log {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  json_line::escape([&](std::string_view part) { out += part; }, text);
  return out;
}

std::string line_at(std::chrono::milliseconds since_1970, std::string_view message) {
  std::string out;
  write_json_line([&](std::string_view part) { out += part; }, std::chrono::system_clock::time_point(since_1970),
                  "warning", message);
  return out;
}

TEST(JsonLine, is_an_object_with_time_level_and_message) {
  using std::chrono::milliseconds;
  EXPECT_EQ(line_at(milliseconds(0), "a b"),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"warning\",\"message\":\"a b\"}\n");
  EXPECT_EQ(line_at(milliseconds(1'709'251'199'999), ""),
            "{\"time\":\"2024-02-29T23:59:59.999Z\",\"level\":\"warning\",\"message\":\"\"}\n");
}

TEST(JsonLine, stays_one_line_whatever_the_message_has) {
  EXPECT_EQ(escaped("one\ntwo\r\t\"three\" \\ four\x1b[31m\x7f"),
            R"(one\ntwo\u000d\u0009\"three\" \\ four\u001b[31m\u007f)");
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)), "a\\u0000b");
}

TEST(JsonLine, keeps_utf8_and_replaces_what_is_none) {
  for (const std::string text :
       {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(escaped("<" + text + ">"), "<" + text + ">");
  }
  EXPECT_EQ(escaped("\x80"), "\\ufffd");
  EXPECT_EQ(escaped("\xc0\xaf"), "\\ufffd\\ufffd") << "overlong";
  EXPECT_EQ(escaped("\xe0\x80\xaf"), "\\ufffd\\ufffd\\ufffd");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd") << "half of a pair";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd") << "beyond the last";
  EXPECT_EQ(escaped("\xe2\x82"), "\\ufffd\\ufffd") << "cut off";
  EXPECT_EQ(escaped("\xc3\""), "\\ufffd\\\"") << "nothing after it is swallowed";
}

}  // namespace
}  // namespace cweb::log
