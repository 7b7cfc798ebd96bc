#include "server/access_line.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
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

/// The calendar of the second that was asked for last: many lines have the same.
const tm& calendar_of(time_t second) {
  thread_local time_t made_for = -1;
  thread_local tm calendar{};
  if (second != made_for) {
    gmtime_r(&second, &calendar);
    made_for = second;
  }
  return calendar;
}

void append_common(std::string& out, const AccessRecord& record) {
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const tm& at = calendar_of(record.time.tv_sec);
  fmt::format_to(std::back_inserter(out), "{} - - [{:02}/{}/{}:{:02}:{:02}:{:02} +0000] \"", record.peer.text(),
                 at.tm_mday, months[static_cast<size_t>(at.tm_mon)], at.tm_year + 1900, at.tm_hour, at.tm_min,
                 at.tm_sec);
  if (record.method.empty() && record.target.empty()) {
    out += '-';
  } else {
    append_escaped(out, record.method);
    out += ' ';
    append_escaped(out, record.target);
    if (!record.protocol.empty()) out.append(" ").append(record.protocol);
  }
  fmt::format_to(std::back_inserter(out), "\" {} {}\n", record.status, record.body_bytes);
}

void append_json(std::string& out, const AccessRecord& record) {
  const tm& at = calendar_of(record.time.tv_sec);
  fmt::format_to(std::back_inserter(out),
                 "{{\"time\":\"{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\",\"peer\":\"{}\",\"connection\":{}",
                 at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec,
                 record.time.tv_nsec / 1'000'000, record.peer.text(), record.connection);
  const auto text = [&](const char* name, std::string_view value) {
    out.append(",\"").append(name).append("\":\"");
    append_json_text(out, value);
    out += '"';
  };
  text("method", record.method);
  text("path", record.target);
  text("protocol", record.protocol);
  fmt::format_to(std::back_inserter(out), ",\"status\":{},\"bytes\":{},\"duration\":{:.6f}", record.status,
                 record.body_bytes, record.duration_s);
  text("module", record.module);
  out += "}\n";
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
