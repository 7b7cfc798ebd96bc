#include "mgnt/fault_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace cweb::mgnt {
namespace {

std::string place_of(const FaultFrame& frame) {
  std::string place = file_of(frame);
  if (frame.position.line != 0) place += fmt::format(":{}", frame.position.line);
  if (frame.position.line != 0 && frame.position.column != 0) place += fmt::format(":{}", frame.position.column);
  if (!frame.function.empty()) place += " in " + frame.function;
  return frame.module.empty() ? place : place + fmt::format(" of {} version {}", frame.module, frame.version);
}

/// The line with its number, and a caret below it where the column is known. As Clang shows it.
std::string excerpt(const FaultReport& report) {
  const FaultFrame* const where = report.where();
  if (where == nullptr || report.source_line.empty()) return {};
  std::string text = fmt::format("{:>5} | {}\n", where->position.line, report.source_line);
  const size_t column = where->position.column;
  if (column == 0 || column > report.source_line.size()) return text;
  // Tabs stay tabs, so that the caret stands where it should.
  std::string indent = report.source_line.substr(0, column - 1);
  std::replace_if(indent.begin(), indent.end(), [](char c) { return c != '\t'; }, ' ');
  return text + fmt::format("      | {}^\n", indent);
}

/// Callers one below the other; a recursion is a line.
std::string call_chain(const FaultReport& report) {
  std::string text;
  for (size_t i = 0; i < report.chain.size();) {
    const std::string place = place_of(report.chain[i]);
    text += fmt::format("  {} {}\n", i == 0 ? "in  " : "from", place);
    size_t same = i + 1;
    while (same < report.chain.size() && place_of(report.chain[same]) == place) ++same;
    if (same - i > 2) {
      text += fmt::format("       and {} times more from there\n", same - i - 1);
      i = same;
    } else {
      ++i;
    }
  }
  if (report.frames_left_out > 0) text += fmt::format("  ... and {} more calls\n", report.frames_left_out);
  return text;
}

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string indented(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    text += fmt::format("    {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

}  // namespace

const FaultFrame* FaultReport::where() const {
  const auto found =
      std::find_if(chain.begin(), chain.end(), [](const FaultFrame& each) { return each.position.line != 0; });
  return found == chain.end() ? nullptr : &*found;
}

std::string file_of(const FaultFrame& frame) {
  return frame.module.empty() ? "module.c" : frame.module + "/module.c";
}

std::string sentence(const FaultReport& report) {
  const FaultFrame* const where = report.where();
  if (where == nullptr) return report.what;
  const std::string caller = where->module.empty() ? "" : ", called by " + report.module;
  return fmt::format("{} at {}{}", report.what, place_of(*where), caller);
}

std::string to_text(const FaultReport& report) {
  std::string text = fmt::format("fault {} in module {}", report.id, report.module);
  // None has been given to what fails in its first onload.
  if (report.version != 0) text += fmt::format(", version {}", report.version);
  text += ": " + sentence(report) + "\n";
  text += excerpt(report);
  text += call_chain(report);
  text += fmt::format("  during {}\n", report.call);
  text += indented(report.request);
  if (report.times > 1) text += fmt::format("  seen {} times\n", report.times);
  if (!report.consequence.empty()) text += fmt::format("  {}\n", report.consequence);
  return text;
}

nlohmann::ordered_json to_json(const FaultReport& report, FaultView view) {
  nlohmann::ordered_json json{{"id", report.id},           {"time", report.time},  {"module", report.module},
                              {"version", report.version}, {"hash", report.hash},  {"what", report.what},
                              {"call", report.call},       {"times", report.times}};
  if (view.request) json["request"] = report.request;
  if (!report.signal.empty()) {
    json["signal"] = report.signal;
    json["address"] = fmt::format("{:#x}", report.address);
  }
  if (const FaultFrame* const where = report.where()) {
    json["function"] = where->function;
    json["file"] = file_of(*where);
    json["line"] = where->position.line;
    json["column"] = where->position.column;
    if (!where->module.empty()) {
      json["in_module"] = where->module;
      json["in_version"] = where->version;
    }
    if (view.source_line) json["source_line"] = report.source_line;
  }
  json["chain"] = nlohmann::ordered_json::array();
  for (const FaultFrame& each : report.chain) {
    auto& frame = json["chain"].emplace_back(nlohmann::ordered_json{
        {"function", each.function}, {"line", each.position.line}, {"column", each.position.column}});
    if (each.module.empty()) continue;
    frame["module"] = each.module;
    frame["version"] = each.version;
  }
  if (report.frames_left_out > 0) json["frames_left_out"] = report.frames_left_out;
  json["consequence"] = report.consequence;
  return json;
}

std::string to_html(const FaultReport& report) {
  constexpr std::string_view page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0} has failed</title>\n"
      "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem;color:#222}}"
      "h1{{font-size:1.4rem;margin-bottom:.2rem}}p{{margin:.2rem 0 1rem}}"
      "pre{{background:#f6f2ec;padding:1rem;overflow:auto;border-left:4px solid #c33}}"
      "@media(prefers-color-scheme:dark){{body{{background:#181818;color:#ddd}}pre{{background:#242424}}}}</style>\n"
      "</head><body><h1>{0}, version {1}, has failed</h1>\n<p>{2}</p>\n<pre>{3}</pre>\n</body></html>\n";
  return fmt::format(page, escaped(report.module), report.version, escaped(sentence(report)), escaped(to_text(report)));
}

}  // namespace cweb::mgnt
