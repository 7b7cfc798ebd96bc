#include "mgnt/exposition.h"

#include <gtest/gtest.h>

#include <array>

namespace cweb::mgnt {
namespace {

TEST(ExpositionTest, a_family_has_its_help_and_type_in_front) {
  Exposition out;
  out.family("cweb_things_total", Exposition::Type::counter, "Things.");
  out.sample(3);
  out.sample(4, {{"kind", "a"}, {"size", "b"}});
  out.family("cweb_seconds", Exposition::Type::gauge, "Time.");
  out.sample_seconds(0.25);
  EXPECT_EQ(out.take(),
            "# HELP cweb_things_total Things.\n"
            "# TYPE cweb_things_total counter\n"
            "cweb_things_total 3\n"
            "cweb_things_total{kind=\"a\",size=\"b\"} 4\n"
            "# HELP cweb_seconds Time.\n"
            "# TYPE cweb_seconds gauge\n"
            "cweb_seconds 0.25\n");
}

TEST(ExpositionTest, buckets_are_cumulated_and_the_last_is_the_count) {
  Exposition out;
  constexpr std::array<double, 2> bounds{5e-5, 2.5};
  constexpr std::array<uint64_t, 3> counts{2, 3, 4};
  out.family("cweb_time_seconds", Exposition::Type::histogram, "Time.");
  out.histogram(bounds, counts, 1.5, {{"of", "x"}});
  EXPECT_EQ(out.take(),
            "# HELP cweb_time_seconds Time.\n"
            "# TYPE cweb_time_seconds histogram\n"
            "cweb_time_seconds_bucket{of=\"x\",le=\"5e-05\"} 2\n"
            "cweb_time_seconds_bucket{of=\"x\",le=\"2.5\"} 5\n"
            "cweb_time_seconds_bucket{of=\"x\",le=\"+Inf\"} 9\n"
            "cweb_time_seconds_sum{of=\"x\"} 1.5\n"
            "cweb_time_seconds_count{of=\"x\"} 9\n");
}

std::string value_of(std::string_view label) {
  Exposition out;
  out.family("f", Exposition::Type::gauge, "h");
  out.sample(1, {{"l", label}});
  const std::string text = out.take();
  const size_t start = text.find("l=\"") + 3;
  return text.substr(start, text.rfind("\"}") - start);
}

TEST(ExpositionTest, quotes_backslashes_and_line_ends_in_labels_are_escaped) {
  EXPECT_EQ(value_of("a\"b"), "a\\\"b");
  EXPECT_EQ(value_of("a\\d+"), "a\\\\d+");
  EXPECT_EQ(value_of("a\nb"), "a\\nb");
  EXPECT_EQ(value_of("} 1\nforged 2"), "} 1\\nforged 2");
}

TEST(ExpositionTest, labels_are_utf_8_whatever_their_bytes) {
  EXPECT_EQ(value_of("gr\xC3\xBC\xC3\x9F\x65 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "gr\xC3\xBC\xC3\x9F\x65 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(value_of("\xFC"), "\\\\xfc") << "Latin-1";
  EXPECT_EQ(value_of("\xC3"), "\\\\xc3") << "cut off";
  EXPECT_EQ(value_of("\xC0\xAF"), "\\\\xc0\\\\xaf") << "overlong";
  EXPECT_EQ(value_of("\xE0\x80\xAF"), "\\\\xe0\\\\x80\\\\xaf") << "overlong";
  EXPECT_EQ(value_of("\xED\xA0\x80"), "\\\\xed\\\\xa0\\\\x80") << "a surrogate";
  EXPECT_EQ(value_of("\xF4\x90\x80\x80"), "\\\\xf4\\\\x90\\\\x80\\\\x80") << "beyond Unicode";
}

}  // namespace
}  // namespace cweb::mgnt
