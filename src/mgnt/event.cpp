#include "mgnt/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json_line.h"

namespace cweb::mgnt {
namespace {

bool is_plain(char c) {
  return c >= ' ' && c <= '~';
}

/// Does a terminal do something else with this character than to show it?
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return (first < ' ' && first != '\t') || first == 0x7f;
  // C1 controls: U+009B is ESC [ to many.
  if (first == 0xc2) return static_cast<unsigned char>(sequence[1]) < 0xa0;
  // Marks that make text look as if it stood in another order, and the ends of a line and of a paragraph.
  return sequence == "\u200e" || sequence == "\u200f" || (sequence >= "\u2028" && sequence <= "\u202e") ||
         (sequence >= "\u2066" && sequence <= "\u2069");
}

/// Of one that is_control, or of a byte that is no text.
void append_escape(std::string& out, std::string_view sequence) {
  const auto bits = [&](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(sequence[i])) & 0x3f; };
  if (sequence.size() == 1) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(sequence.front()));
  } else if (sequence.size() == 2) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", 0x80 | bits(1));
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", 0x2000 | bits(1) << 6 | bits(2));
  }
}

auto appends_to(std::string& out) {
  return [&out](std::string_view text) { out.append(text); };
}

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  log::json_line::escape(appends_to(out), text);
  out.push_back('"');
}

}  // namespace

const char* to_string(Event::Type type) {
  switch (type) {
    case Event::Type::output:
      return "output";
    case Event::Type::deployed:
      return "deployed";
    case Event::Type::deploy_failed:
      return "deploy_failed";
    case Event::Type::restarted:
      return "restarted";
    case Event::Type::removed:
      return "removed";
    case Event::Type::fault:
      return "fault";
    case Event::Type::quarantined:
      return "quarantined";
    case Event::Type::died:
      break;
  }
  return "died";
}

std::string one_line(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const size_t length = log::json_line::utf8_sequence(text);
    if (length == 0) {
      line += "\xef\xbf\xbd";
    } else if (text.front() == '\n') {
      line += ' ';
    } else {
      line.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return line;
}

void append_member(std::string& members, std::string_view name, std::string_view value) {
  members.append(",\"").append(name).append("\":");
  append_string(members, value);
}

void append_json(std::string& out, const Event& event) {
  fmt::format_to(std::back_inserter(out), "{{\"id\":{},\"time\":\"", event.id);
  log::json_line::timestamp(appends_to(out), event.time);
  out.append("\",\"type\":\"").append(to_string(event.type)).append("\",\"module\":");
  append_string(out, event.module);
  if (event.version != 0) fmt::format_to(std::back_inserter(out), ",\"version\":{}", event.version);
  append_member(out, "text", event.text);
  if (event.type == Event::Type::output) {
    append_member(out, "stream", event.stream == runtime::OutputStream::out ? "stdout" : "stderr");
    if (event.cut) out.append(",\"cut\":true");
  }
  out.append(event.members).push_back('}');
}

void append_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t length = log::json_line::utf8_sequence(text);
    if (length == 0 || is_control(text.substr(0, length))) {
      append_escape(out, text.substr(0, std::max<size_t>(length, 1)));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
}

void append_line(std::string& out, const Event& event) {
  std::string time;
  log::json_line::timestamp(appends_to(time), event.time);
  // Of 2026-01-31T12:00:00.123Z what changes within a day.
  out.append(time, 11, 12).append(" ");
  if (event.type == Event::Type::output) {
    append_printable(out, event.module);
    out.append(": ");
  }
  append_printable(out, event.text);
  if (event.cut) out.append(" ...");
  out.push_back('\n');
}

}  // namespace cweb::mgnt
