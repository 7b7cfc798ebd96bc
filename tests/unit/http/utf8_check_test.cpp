// Compared with the table of well-formed byte sequences in RFC 3629, 4, read in the plainest way.
#include "http/utf8_check.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cweb::http {
namespace {

enum class Verdict { text, cut, wrong };  // cut: the beginning of a text

bool within(std::string_view text, size_t at, unsigned lowest, unsigned highest) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= lowest && byte <= highest;
}

/// The rows of the table: what the first and the second byte are, and how many there are in all.
struct Row {
  unsigned first_low, first_high, second_low, second_high;
  size_t length;
};
constexpr Row rows[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

Verdict by_the_table(std::string_view text) {
  while (!text.empty()) {
    const Row* row = nullptr;
    for (const Row& candidate : rows) {
      if (within(text, 0, candidate.first_low, candidate.first_high)) row = &candidate;
    }
    if (row == nullptr) return Verdict::wrong;
    for (size_t i = 1; i < row->length; ++i) {
      if (i == text.size()) return Verdict::cut;
      if (!within(text, i, i == 1 ? row->second_low : 0x80, i == 1 ? row->second_high : 0xbf)) return Verdict::wrong;
    }
    text.remove_prefix(row->length);
  }
  return Verdict::text;
}

Verdict by_the_check(std::string_view text, size_t piece = SIZE_MAX) {
  Utf8Check check;
  bool good = true;
  while (!text.empty()) {
    good = check.take(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  EXPECT_FALSE(!good && check.complete());
  return !good ? Verdict::wrong : check.complete() ? Verdict::text : Verdict::cut;
}

std::string bytes(unsigned number, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += static_cast<char>(number >> (8 * i));
  return text;
}

TEST(Utf8Check, EverySequenceOfOneAndTwoBytes) {
  for (size_t count = 0; count <= 2; ++count) {
    for (unsigned number = 0; number < 1U << (8 * count); ++number) {
      const std::string text = bytes(number, count);
      if (by_the_check(text) != by_the_table(text)) FAIL() << std::hex << number << " of " << count;
    }
  }
}

// With another first byte they are, behind it, two bytes.
TEST(Utf8Check, EverySequenceThatBeginsAsThreeBytes) {
  for (unsigned first = 0xe0; first < 256; ++first) {
    for (unsigned rest = 0; rest < 1U << 16; ++rest) {
      const std::string text = bytes(first | rest << 8, 3);
      if (by_the_check(text) != by_the_table(text)) FAIL() << std::hex << first << ' ' << rest;
    }
  }
}

TEST(Utf8Check, SequencesThatBeginAsFourBytes) {
  constexpr unsigned borders[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
                                  0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
  for (unsigned beginning = 0; beginning < 1U << 12; ++beginning) {
    for (const unsigned third : borders) {
      for (const unsigned fourth : borders) {
        const std::string text = bytes(0xf0 | beginning | third << 16 | fourth << 24, 4);
        if (by_the_check(text) != by_the_table(text)) FAIL() << std::hex << beginning << ' ' << third << ' ' << fourth;
      }
    }
  }
}

struct Known {
  const char* what;
  std::string_view text;
  Verdict verdict;
};

class KnownCase : public testing::TestWithParam<Known> {};

TEST_P(KnownCase, AtAnyPlaceAndInAnyPieces) {
  const Known& known = GetParam();
  // More than is looked at in one go, so that none of it hides what was before it.
  const std::string tail(100, 'x');
  const Verdict with_tail = known.verdict == Verdict::text ? Verdict::text : Verdict::wrong;
  for (const size_t before : {0U, 1U, 12U, 13U, 14U, 15U, 16U, 17U, 62U, 63U, 64U, 65U, 200U}) {
    const std::string text = std::string(before, 'x').append(known.text);
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{16}, SIZE_MAX}) {
      EXPECT_EQ(by_the_check(text, piece), known.verdict) << before << ' ' << piece;
      EXPECT_EQ(by_the_check(text + tail, piece), with_tail) << before << ' ' << piece;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Utf8Check, KnownCase,
    testing::Values(
        Known{"empty", "", Verdict::text}, Known{"nul", std::string_view("a\0b", 3), Verdict::text},
        Known{"greek", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", Verdict::text},
        Known{"last_of_two", "\xdf\xbf", Verdict::text}, Known{"first_of_three", "\xe0\xa0\x80", Verdict::text},
        Known{"before_surrogates", "\xed\x9f\xbf", Verdict::text},
        Known{"behind_surrogates", "\xee\x80\x80", Verdict::text}, Known{"replacement", "\xef\xbf\xbd", Verdict::text},
        Known{"noncharacter", "\xef\xbf\xbf", Verdict::text}, Known{"first_of_four", "\xf0\x90\x80\x80", Verdict::text},
        Known{"last_character", "\xf4\x8f\xbf\xbf", Verdict::text},
        Known{"above_the_last", "\xf4\x90\x80\x80", Verdict::wrong},
        Known{"five_bytes", "\xf8\x88\x80\x80\x80", Verdict::wrong},
        Known{"overlong_slash_two", "\xc0\xaf", Verdict::wrong},
        Known{"overlong_slash_three", "\xe0\x80\xaf", Verdict::wrong},
        Known{"overlong_slash_four", "\xf0\x80\x80\xaf", Verdict::wrong},
        Known{"overlong_nul", "\xc0\x80", Verdict::wrong}, Known{"first_surrogate", "\xed\xa0\x80", Verdict::wrong},
        Known{"last_surrogate", "\xed\xbf\xbf", Verdict::wrong},
        Known{"surrogate_pair", "\xed\xa0\x80\xed\xb0\x80", Verdict::wrong},
        Known{"lone_continuation", "\x80", Verdict::wrong}, Known{"never_a_byte", "\xff", Verdict::wrong},
        Known{"two_cut", "\xc3", Verdict::cut}, Known{"three_cut", "\xe2\x82", Verdict::cut},
        Known{"four_cut", "\xf0\x9f\x98", Verdict::cut}, Known{"cut_and_on", "\xe2\x82z", Verdict::wrong}),
    [](const auto& parameter) { return std::string(parameter.param.what); });

TEST(Utf8Check, AFaultIsToldByTheFirstByteThatShowsIt) {
  const std::string text = std::string(100, 'x') + "\xed\xa0";  // a surrogate, by its second byte
  Utf8Check check;
  EXPECT_TRUE(check.take(text.substr(0, text.size() - 1)));
  EXPECT_FALSE(check.take(text.substr(text.size() - 1)));
  EXPECT_FALSE(check.take("harmless")) << "it stays wrong";
  check.reset();
  EXPECT_TRUE(check.take("harmless") && check.complete());
}

TEST(Utf8Check, PlainTextWithinACharacterIsNotPassedOver) {
  const std::string_view smile = "\xf0\x9f\x98\x80";
  for (size_t cut = 1; cut < smile.size(); ++cut) {
    for (size_t before = 0; before < 80; ++before) {
      for (const size_t between : {1U, 15U, 16U, 32U, 64U, 128U}) {
        const std::string text =
            std::string(before, 'x').append(smile.substr(0, cut)).append(between, 'x').append(smile.substr(cut));
        EXPECT_EQ(by_the_check(text), Verdict::wrong) << cut << ' ' << before << ' ' << between;
      }
    }
  }
}

TEST(Utf8Check, LongTextsOfAllKinds) {
  std::mt19937 random(6455);
  const std::string_view characters[] = {
      "a", "z\n", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "plain text, and much of it "};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    const size_t kinds = 1 + random() % std::size(characters);
    for (size_t length = random() % 100; length > 0; --length) text += characters[random() % kinds * 5 % 6];
    if (random() % 2 == 0 && !text.empty()) text[random() % text.size()] = static_cast<char>(random());
    if (random() % 4 == 0) text.resize(text.size() - std::min<size_t>(text.size(), random() % 4));
    const Verdict expected = by_the_table(text);
    ASSERT_EQ(by_the_check(text), expected) << text;
    ASSERT_EQ(by_the_check(text, 1 + random() % 40), expected) << text;
  }
}

}  // namespace
}  // namespace cweb::http
