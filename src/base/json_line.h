// One event as one line of JSON. Header only and without memory of its own: the log writes lines so, and so do a
// process that must not allocate and a signal handler.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace cweb::log {

namespace json_line {

/// The bytes of the UTF-8 sequence at the front (RFC 3629); 0 when there is none.
constexpr size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first < 0xf0 || first > 0xf4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0 : 4;
}

/// The text as it stands between the quotes of a JSON string. What is no UTF-8 becomes a replacement character.
template <typename Append>
void escape(Append&& append, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  while (!text.empty()) {
    const char c = text.front();
    const size_t length = utf8_sequence(text);
    if (length == 0) {
      append("\\ufffd");
    } else if (c == '"' || c == '\\') {
      append("\\");
      append(text.substr(0, 1));
    } else if (c == '\n') {
      append("\\n");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      const auto byte = static_cast<unsigned char>(c);
      append("\\u00");
      append(digits.substr(byte >> 4, 1));
      append(digits.substr(byte & 0xf, 1));
    } else {
      append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

/// "2026-01-31T12:00:00.123Z". Without gmtime(), which takes a lock.
template <typename Append>
void timestamp(Append&& append, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto in_ms = floor<milliseconds>(time);
  const auto day = floor<days>(in_ms);
  const year_month_day date(day);
  const hh_mm_ss clock(in_ms - day);
  std::array<char, 24> text{};
  size_t length = 0;
  const auto put = [&](int64_t number, size_t width, char behind) {
    for (size_t i = width; i-- > 0; number /= 10) text[length + i] = static_cast<char>('0' + number % 10);
    length += width;
    text[length++] = behind;
  };
  put(static_cast<int>(date.year()), 4, '-');
  put(static_cast<unsigned>(date.month()), 2, '-');
  put(static_cast<unsigned>(date.day()), 2, 'T');
  put(clock.hours().count(), 2, ':');
  put(clock.minutes().count(), 2, ':');
  put(clock.seconds().count(), 2, '.');
  put(clock.subseconds().count(), 3, 'Z');
  append(std::string_view(text.data(), length));
}

}  // namespace json_line

/// {"time":...,"level":...,"message":...} and a line end, by calls of append(std::string_view).
template <typename Append>
void write_json_line(Append&& append, std::chrono::system_clock::time_point time, std::string_view level,
                     std::string_view message) {
  append("{\"time\":\"");
  json_line::timestamp(append, time);
  append("\",\"level\":\"");
  append(level);
  append("\",\"message\":\"");
  json_line::escape(append, message);
  append("\"}\n");
}

}  // namespace cweb::log
