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
      break;
  }
  return "quarantined";
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
  for (const char c : text) {
    const bool is_control = (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
    if (is_control) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
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
