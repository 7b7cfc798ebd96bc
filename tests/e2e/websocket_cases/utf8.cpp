// RFC 6455, 8.1, and RFC 3629: text is UTF-8, across fragments and segments, and what is none is told by its first bad
// byte.
#include "protocol_case.h"

namespace cweb::e2e {
namespace {

struct Sequence {
  const char* what;
  std::string_view bytes;
};

constexpr Sequence characters[] = {
    {"U+007F, the last of one byte", "\x7f"},
    {"U+0080, the first of two bytes", "\xc2\x80"},
    {"U+00E4", "\xc3\xa4"},
    {"U+07FF, the last of two bytes", "\xdf\xbf"},
    {"U+0800, the first of three bytes", "\xe0\xa0\x80"},
    {"U+0FFF", "\xe0\xbf\xbf"},
    {"U+1000", "\xe1\x80\x80"},
    {"U+20AC", "\xe2\x82\xac"},
    {"U+CFFF", "\xec\xbf\xbf"},
    {"U+D000", "\xed\x80\x80"},
    {"U+D7FF, the last below the surrogates", "\xed\x9f\xbf"},
    {"U+E000, the first above the surrogates", "\xee\x80\x80"},
    {"U+FEFF, a byte order mark", "\xef\xbb\xbf"},
    {"U+FFFD", "\xef\xbf\xbd"},
    {"U+FFFE, no character", "\xef\xbf\xbe"},
    {"U+FFFF, the last of three bytes", "\xef\xbf\xbf"},
    {"U+10000, the first of four bytes", "\xf0\x90\x80\x80"},
    {"U+1F600", "\xf0\x9f\x98\x80"},
    {"U+3FFFF", "\xf0\xbf\xbf\xbf"},
    {"U+40000", "\xf1\x80\x80\x80"},
    {"U+FFFFF", "\xf3\xbf\xbf\xbf"},
    {"U+100000", "\xf4\x80\x80\x80"},
    {"U+10FFFF, the last there is", "\xf4\x8f\xbf\xbf"},
};

/// Each is wrong with its last byte: all before could become a character.
constexpr Sequence faults[] = {
    {"a continuation byte alone", "\x80"},
    {"the last continuation byte alone", "\xbf"},
    {"a continuation byte too many", "\xc3\xa4\xa4"},
    {"C0, which begins nothing", "\xc0"},
    {"C1, which begins nothing", "\xc1"},
    {"F5, which begins nothing", "\xf5"},
    {"F8, the first of five bytes once", "\xf8"},
    {"FC, the first of six bytes once", "\xfc"},
    {"FE", "\xfe"},
    {"FF", "\xff"},
    {"two bytes, the second missing", "\xc3 "},
    {"two bytes, the second a first", "\xc3\xc3"},
    {"three bytes, the second missing", "\xe2 "},
    {"three bytes, the third missing", "\xe2\x82 "},
    {"three bytes, the third a first", "\xe2\x82\xe2"},
    {"four bytes, the second missing", "\xf0 "},
    {"four bytes, the third missing", "\xf0\x9f "},
    {"four bytes, the fourth missing", "\xf0\x9f\x98 "},
    {"three bytes for what two can say, the lowest", "\xe0\x80"},
    {"three bytes for what two can say, the highest", "\xe0\x9f"},
    {"four bytes for what three can say, the lowest", "\xf0\x80"},
    {"four bytes for what three can say, the highest", "\xf0\x8f"},
    {"U+D800, the first surrogate", "\xed\xa0"},
    {"U+DFFF, the last surrogate", "\xed\xbf"},
    {"U+110000, the first above all", "\xf4\x90"},
    {"U+13FFFF", "\xf4\xbf"},
};

/// What may stand at the end of a fragment, but not of a message.
constexpr Sequence beginnings[] = {
    {"one byte of two", "\xc3"},      {"one byte of three", "\xe2"},     {"two bytes of three", "\xe2\x82"},
    {"one byte of four", "\xf0"},     {"two bytes of four", "\xf0\x9f"}, {"three bytes of four", "\xf0\x9f\x98"},
    {"one byte, E0", "\xe0"},         {"two bytes, E0 A0", "\xe0\xa0"},  {"one byte, ED", "\xed"},
    {"two bytes, ED 9F", "\xed\x9f"}, {"two bytes, F4 8F", "\xf4\x8f"},
};

std::vector<ProtocolCase> valid() {
  std::vector<ProtocolCase> cases;
  for (const auto& [what, bytes] : characters) {
    const std::string name = what;
    cases.push_back({name, text(bytes), {text_back(bytes)}});
    std::string one_each = first_text("");
    for (const char byte : bytes) one_each += next(std::string_view(&byte, 1));
    cases.push_back({name + ", a fragment for each byte", one_each + last(""), {text_back(bytes)}});
  }
  std::string all;
  for (const auto& [what, bytes] : characters) all += bytes;
  for (size_t at = 0; at <= all.size(); at += 3) {
    cases.push_back({"all of them, in two fragments cut at " + std::to_string(at),
                     first_text(all.substr(0, at)) + last(all.substr(at)),
                     {text_back(all)}});
  }
  const std::string large = repeated("\xe2\x82\xac", 50000);  // cut in the middle of a character by any power of two
  const std::vector<ProtocolCase> more = {
      {"all of them, between ASCII", text("abcdefgh" + all + "abcdefgh"), {text_back("abcdefgh" + all + "abcdefgh")}},
      {"150000 bytes of three-byte characters", text(large), {text_back(large)}},
      {"the same in two fragments", first_text(large.substr(0, 65536)) + last(large.substr(65536)), {text_back(large)}},
      {"binary may be anything", binary("\xc0\x80\xed\xa0\x80\xff"), {binary_back("\xc0\x80\xed\xa0\x80\xff")}},
      {"each message begins anew",
       text("a") + binary("\xe2\x82") + text("\xe2\x82\xac"),
       {text_back("a"), binary_back("\xe2\x82"), text_back("\xe2\x82\xac")}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<ProtocolCase> invalid() {
  std::vector<ProtocolCase> cases;
  for (const auto& [what, bytes] : faults) {
    const std::string name = what;
    const std::string behind_ascii = "plain text, then" + std::string(bytes);
    const std::string_view before = bytes.substr(0, bytes.size() - 1), bad = bytes.substr(bytes.size() - 1);
    cases.push_back({name, text(bytes), {closed(1007)}});
    cases.push_back({name + ", behind ASCII and before it", text(behind_ascii + "and on"), {closed(1007)}});
    cases.push_back({name + ", the bad byte in the next fragment", first_text(before) + last(bad), {closed(1007)}});
    cases.push_back({name + ", told before its frame ends", begun_text(70000, behind_ascii), {closed(1007)}});
    cases.push_back({name + ", told before its message ends", first_text("a") + next(bytes), {closed(1007)}});
  }
  for (const auto& [what, bytes] : beginnings) {
    const std::string name = std::string(what) + " at the end";
    cases.push_back({name, text("a" + std::string(bytes)), {closed(1007)}});
    cases.push_back({name + " of the last fragment", first_text("a") + last(bytes), {closed(1007)}});
    cases.push_back({name + ", an empty fragment behind it", first_text(bytes) + last(""), {closed(1007)}});
    cases.push_back({name + " of the first fragment, ASCII behind it", first_text(bytes) + last("a"), {closed(1007)}});
  }
  const std::string large = letters(70000);
  const std::vector<ProtocolCase> more = {
      {"behind a good message", text("a") + text("\xff"), {text_back("a"), closed(1007)}},
      {"behind 70000 good bytes", text(large + "\xff"), {closed(1007)}},
      {"behind 70000 good bytes, told before its frame ends", begun_text(1000000, large + "\xff"), {closed(1007)}},
      {"good bytes behind it are not looked at", text("\xff") + text("a") + ping(), {closed(1007)}},
      {"in the second fragment, a ping between",
       first_text("a") + ping("p") + next("\xff"),
       {pong_back("p"), closed(1007)}},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace

std::vector<CaseGroup> utf8_groups() {
  return {{.name = "utf8_valid", .cases = valid}, {.name = "utf8_invalid", .cases = invalid}};
}

}  // namespace cweb::e2e
