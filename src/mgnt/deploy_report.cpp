#include "mgnt/deploy_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "jit/source_excerpt.h"

namespace cweb::mgnt {
namespace {

using nlohmann::ordered_json;

constexpr const char* repaired_notice =
    "The source came without its newlines (curl -d removes them). They were put back around each #include, so line "
    "numbers here are not your file's. To keep them, send the file with --data-binary @file.";

std::string headline(const DeployReport& report) {
  const std::string name = report.module ? report.module->name : "module";
  switch (report.status) {
    case DeployReport::Status::deployed:
      return fmt::format("{}, version {}, is deployed", name, report.module ? report.module->version : 0);
    case DeployReport::Status::unchanged:
      return fmt::format("{}, version {}, is unchanged: this source is what runs already, its state is kept", name,
                         report.module ? report.module->version : 0);
    case DeployReport::Status::checked:
      return fmt::format("{} is fine; it was checked and not deployed", name);
    case DeployReport::Status::failed:
      break;
  }
  return fmt::format("not deployed ({}): {}", report.stage, report.message);
}

void append_routes(std::string& text, const ModuleSummary& module) {
  for (const auto& [method, path] : module.routes) text += fmt::format("  {:<7} {}\n", method, path);
  for (const auto& path : module.websockets) text += fmt::format("  WebSocket {}\n", path);
}

/// "   11 | code", "      |  ^~~~": how Clang, and cweb after it, shows a place. Messages begin with a file's name.
bool is_excerpt(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" 0123456789"), line.size()));
  return line.starts_with('|');
}

ordered_json position_json(SourcePosition position) {
  return {{"line", position.line}, {"column", position.column}};
}

ordered_json diagnostic_json(const jit::Diagnostic& diagnostic) {
  ordered_json json;
  json["severity"] = jit::to_string(diagnostic.severity);
  json["file"] = diagnostic.file;
  json["line"] = diagnostic.position.line;
  json["column"] = diagnostic.position.column;
  json["message"] = diagnostic.message;
  json["option"] = diagnostic.option;
  json["fixits"] = ordered_json::array();
  for (const auto& fixit : diagnostic.fixits) {
    json["fixits"].push_back(
        {{"begin", position_json(fixit.begin)}, {"end", position_json(fixit.end)}, {"text", fixit.text}});
  }
  return json;
}

}  // namespace

DeployReport failed_report(int http_status, std::string stage, std::string message) {
  DeployReport report;
  report.http_status = http_status;
  report.stage = std::move(stage);
  report.message = std::move(message);
  return report;
}

void leave_out_excerpts(DeployReport& report) {
  std::string kept;
  std::string_view rest = report.rendered;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (!is_excerpt(rest.substr(0, end))) kept += std::string(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  report.rendered = std::move(kept);
}

const char* to_string(DeployReport::Status status) {
  switch (status) {
    case DeployReport::Status::deployed:
      return "deployed";
    case DeployReport::Status::unchanged:
      return "unchanged";
    case DeployReport::Status::checked:
      return "checked";
    case DeployReport::Status::failed:
      break;
  }
  return "failed";
}

std::string to_text(const DeployReport& report) {
  std::string text;
  if (report.repaired) text += fmt::format("note: {}\n", repaired_notice);
  text += headline(report) + "\n";
  if (report.status != DeployReport::Status::failed && report.module) append_routes(text, *report.module);
  if (!report.rendered.empty()) {
    text += report.rendered;
    if (!text.ends_with('\n')) text += '\n';
  }
  for (const std::string& notice : report.notices) text += fmt::format("note: {}\n", notice);
  if (!report.keeps_serving.empty()) text += fmt::format("{}, keeps serving\n", report.keeps_serving);
  const DeployTimings& timings = report.timings;
  if (report.status == DeployReport::Status::deployed) {
    text += fmt::format("compile {:.1f} ms, hop {:.1f} ms, link {:.1f} ms, onload {:.1f} ms, total {:.1f} ms\n",
                        timings.compile_ms, timings.hop_ms, timings.link_ms, timings.onload_ms, timings.total_ms);
  } else if (report.status == DeployReport::Status::checked) {
    text += fmt::format("compile {:.1f} ms, hop {:.1f} ms, link {:.1f} ms, total {:.1f} ms\n", timings.compile_ms,
                        timings.hop_ms, timings.link_ms, timings.total_ms);
  }
  return text;
}

ordered_json to_json(const DeployReport& report) {
  ordered_json json;
  json["status"] = to_string(report.status);
  if (report.status == DeployReport::Status::failed) {
    json["stage"] = report.stage;
    json["error"] = report.message;
  }
  if (report.module) json["module"] = to_json(*report.module);
  json["repaired"] = report.repaired;
  json["notices"] = ordered_json::array();
  if (report.repaired) json["notices"].push_back(repaired_notice);
  for (const std::string& notice : report.notices) json["notices"].push_back(notice);
  if (!report.keeps_serving.empty()) json["keeps_serving"] = report.keeps_serving;
  json["diagnostics"] = ordered_json::array();
  for (const auto& diagnostic : report.diagnostics) json["diagnostics"].push_back(diagnostic_json(diagnostic));
  json["rendered"] = report.rendered;
  json["timings_ms"] = {{"compile", report.timings.compile_ms},
                        {"hop", report.timings.hop_ms},
                        {"link", report.timings.link_ms},
                        {"onload", report.timings.onload_ms},
                        {"total", report.timings.total_ms}};
  return json;
}

}  // namespace cweb::mgnt
