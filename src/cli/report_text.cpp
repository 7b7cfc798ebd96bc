#include "cli/report_text.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/client_failure.h"
#include "cli/diagnostic_text.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

using nlohmann::json;

constexpr size_t most_routes_columns = 200;

std::string with_version(const json& module) {
  const auto version = number_in(module, "version");
  return text_in(module, "name") + (version == 0 ? "" : ", version " + std::to_string(version));
}

std::string milliseconds(const json& report) {
  const json& total = member_of(member_of(report, "timings_ms"), "total");
  return total.is_number() ? " (" + readable_ms(total.get<double>()) + ")" : std::string();
}

std::string failure_line(const json& report, std::string_view file, bool colours) {
  std::string line = coloured(colours, Colour::bold, one_line(file) + ": ");
  line += coloured(colours, Colour::error, "not deployed");
  const std::string stage = text_in(report, "stage");
  const std::string error = with_files(text_in(report, "error"), "", {{"", one_line(file)}});
  line += (stage.empty() ? ": " : " (" + stage + "): ") + (error.empty() ? "the server does not say why" : error);
  const std::string keeps = text_in(report, "keeps_serving");
  return line + (keeps.empty() ? "" : "; " + keeps + ", keeps serving") + "\n";
}

}  // namespace

const json& member_of(const json& object, const char* member) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(member);
  return found == object.end() ? none : *found;
}

unsigned long long number_in(const json& object, const char* member) {
  const json& number = member_of(object, member);
  const bool is_whole = number.is_number_unsigned() || (number.is_number_integer() && number.get<long long>() >= 0);
  return is_whole ? number.get<unsigned long long>() : 0;
}

std::string notices_text(const json& answer, std::string_view subject, bool colours) {
  std::string text;
  for (const json& notice : member_of(answer, "notices")) {
    if (!notice.is_string()) continue;
    text += coloured(colours, Colour::bold, one_line(subject) + ": ") + coloured(colours, Colour::note, "note: ") +
            one_line(notice.get_ref<const std::string&>()) + "\n";
  }
  return text;
}

std::string listed(const std::vector<std::string>& things, size_t most_columns) {
  std::string text;
  for (size_t i = 0; i < things.size(); ++i) {
    if (i > 0 && most_columns != 0 && columns_of(text) + columns_of(things[i]) + 2 > most_columns) {
      return text + " and " + std::to_string(things.size() - i) + " more";
    }
    text += (i > 0 ? ", " : "") + things[i];
  }
  return text;
}

std::vector<std::string> routes_of(const json& module) {
  std::vector<std::string> routes;
  for (const json& route : member_of(module, "routes")) {
    routes.push_back(text_in(route, "method") + " " + text_in(route, "path"));
  }
  return routes;
}

std::string routes_text(const json& module, size_t most_columns) {
  std::vector<std::string> routes = routes_of(module);
  for (const json& websocket : member_of(module, "websockets")) {
    routes.push_back("WebSocket " + text_in(websocket, "path"));
  }
  return routes.empty() ? "no routes" : listed(routes, most_columns);
}

ReportText report_text(const json& report, std::string_view file, std::string_view source, bool colours) {
  ReportText told;
  const json& rendered = member_of(report, "rendered");
  if (rendered.is_string()) {
    told.messages = diagnostic_text(rendered.get_ref<const std::string&>(), file, source, colours);
  }
  told.messages += notices_text(report, file, colours);
  const std::string status = text_in(report, "status");
  const json& module = member_of(report, "module");
  const std::string routes = ": " + routes_text(module, most_routes_columns) + milliseconds(report);
  if (status == "deployed") told.result = with_version(module) + routes;
  if (status == "unchanged") told.result = with_version(module) + ", is unchanged" + routes;
  if (status == "checked") told.result = text_in(module, "name") + " is fine, and not deployed" + routes;
  told.succeeded = !told.result.empty();
  if (told.succeeded) {
    told.result = one_line(file) + ": " + told.result + "\n";
  } else {
    told.messages += failure_line(report, file, colours);
  }
  return told;
}

}  // namespace cweb::cli
