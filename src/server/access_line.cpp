#include "server/access_line.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace cweb::server {
namespace {

/// Printable ASCII that means nothing in either format.
bool is_plain(char c) {
  return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/// What is plain in one piece, the rest as `escape` appends it.
template <class Escape>
void append_escaped(std::string& out, std::string_view text, const Escape& escape) {
  while (!text.empty()) {
    const auto plain_end = std::find_if_not(text.begin(), text.end(), is_plain);
    const auto plain = static_cast<size_t>(plain_end - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    escape(out, static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
  }
}

/// As nginx and Apache do: \xHH.
void append_escaped(std::string& out, std::string_view text) {
  append_escaped(out, text,
                 [](std::string& to, unsigned char c) { fmt::format_to(std::back_inserter(to), "\\x{:02X}", c); });
}

/// A string of JSON. A byte that is not ASCII becomes the character of its number: a target has no encoding.
void append_json_text(std::string& out, std::string_view text) {
  append_escaped(out, text,
                 [](std::string& to, unsigned char c) { fmt::format_to(std::back_inserter(to), "\\u{:04x}", c); });
}

/// A second as each format writes it. Many lines have the same, so it is made once.
struct SecondText {
  time_t made_for = -1;
  std::string common;  ///< "[23/Nov/2026:19:54:29 +0000]"
  std::string iso;     ///< "2026-11-23T19:54:29"
};

const SecondText& text_of(time_t second) {
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  thread_local SecondText text;
  if (second == text.made_for) return text;
  tm at{};
  gmtime_r(&second, &at);
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", at.tm_hour, at.tm_min, at.tm_sec);
  text.common = fmt::format("[{:02}/{}/{}:{} +0000]", at.tm_mday, months[static_cast<size_t>(at.tm_mon)],
                            at.tm_year + 1900, clock);
  text.iso = fmt::format("{}-{:02}-{:02}T{}", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, clock);
  text.made_for = second;
  return text;
}

/// At least `digits` of them, with zeros in front.
void append_number(std::string& out, uint64_t number, size_t digits = 1) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<size_t>(end.ptr - text.data());
  if (length < digits) out.append(digits - length, '0');
  out.append(text.data(), length);
}

void append_common(std::string& out, const AccessRecord& record) {
  out.append(record.peer.text()).append(" - - ").append(text_of(record.time.tv_sec).common).append(" \"");
  if (record.method.empty() && record.target.empty()) {
    out += '-';
  } else {
    append_escaped(out, record.method);
    out += ' ';
    append_escaped(out, record.target);
    if (!record.protocol.empty()) out.append(" ").append(record.protocol);
  }
  out.append("\" ");
  append_number(out, static_cast<uint64_t>(record.status));
  out += ' ';
  append_number(out, record.body_bytes);
  out += '\n';
}

void append_json(std::string& out, const AccessRecord& record) {
  const auto member = [&](std::string_view name) { out.append(",\"").append(name).append("\":"); };
  const auto text = [&](std::string_view name, std::string_view value) {
    member(name);
    out += '"';
    append_json_text(out, value);
    out += '"';
  };
  const auto number = [&](std::string_view name, uint64_t value) {
    member(name);
    append_number(out, value);
  };
  out.append("{\"time\":\"").append(text_of(record.time.tv_sec).iso).append(".");
  append_number(out, static_cast<uint64_t>(record.time.tv_nsec / 1'000'000), 3);
  out.append("Z\"");
  text("peer", record.peer.text());
  number("connection", record.connection);
  text("method", record.method);
  text("path", record.target);
  text("protocol", record.protocol);
  number("status", static_cast<uint64_t>(record.status));
  number("bytes", record.body_bytes);
  const auto duration_us = static_cast<uint64_t>(record.duration_s * 1e6 + 0.5);
  number("duration", duration_us / 1'000'000);
  out += '.';
  append_number(out, duration_us % 1'000'000, 6);
  text("module", record.module);
  out.append("}\n");
}

}  // namespace

void append_access_line(std::string& out, AccessLogFormat format, const AccessRecord& record) {
  if (format == AccessLogFormat::json) {
    append_json(out, record);
  } else {
    append_common(out, record);
  }
}

}  // namespace cweb::server
