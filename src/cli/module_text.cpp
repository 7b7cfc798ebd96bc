#include "cli/module_text.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/client_failure.h"
#include "cli/event_view.h"
#include "cli/report_text.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

using nlohmann::json;

constexpr size_t most_routes_columns = 48;
constexpr size_t most_sockets_columns = 24;
constexpr size_t hash_digits = 12;

std::string number_text(const json& object, const char* member) {
  return std::to_string(number_in(object, member));
}

std::string sockets_text(const json& module) {
  std::vector<std::string> paths;
  for (const json& websocket : member_of(module, "websockets")) paths.push_back(text_in(websocket, "path"));
  return listed(paths, most_sockets_columns);
}

std::string memory_text(const json& module) {
  const json& memory = member_of(module, "memory");
  return readable_bytes(number_in(memory, "bytes")) + " in " + number_text(memory, "blocks") + " blocks, " +
         readable_bytes(number_in(memory, "peak_bytes")) + " at most";
}

/// Lines "  name      value", without those that have none.
std::string fields_text(const std::vector<std::pair<const char*, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    std::string label = std::string("  ") + name;
    label.resize(13, ' ');
    text += label + value + "\n";
  }
  return text;
}

std::string fault_text(const json& fault) {
  // A version that failed in its onload has no number.
  const std::string version = number_in(fault, "version") == 0 ? "" : "version " + number_text(fault, "version") + ": ";
  std::string text = "  " + local_date_and_time(text_in(fault, "time")) + "  " + version + text_in(fault, "what");
  const auto line = number_in(fault, "line");
  if (line != 0)
    text += " at " + text_in(fault, "file") + ":" + std::to_string(line) + ":" + number_text(fault, "column");
  if (const std::string function = text_in(fault, "function"); !function.empty()) text += " in " + function;
  if (const std::string other = text_in(fault, "in_module"); !other.empty())
    text += " of " + other + " version " + number_text(fault, "in_version");
  const auto times = number_in(fault, "times");
  if (times > 1) text += ", " + std::to_string(times) + " times";
  text += "\n";
  if (const std::string source = text_in(fault, "source_line"); !source.empty()) {
    text += "    " + std::to_string(line) + " | " + source + "\n";
  }
  for (const char* const member : {"call", "consequence"}) {
    if (const std::string what = text_in(fault, member); !what.empty()) {
      text += (std::string_view(member) == "call" ? "    during " : "    ") + what + "\n";
    }
  }
  return text;
}

}  // namespace

std::string list_text(const json& answer, bool colours) {
  Table table({{"NAME"},
               {"VERSION", Table::Align::right},
               {"STATE"},
               {"CALLS", Table::Align::right},
               {"FAULTS", Table::Align::right},
               {"MEMORY", Table::Align::right},
               {"SOCKETS"},
               {"ROUTES"}});  // the longest comes last: where the terminal is narrow, it alone goes on in the next line
  for (const json& module : member_of(answer, "modules")) {
    table.add({text_in(module, "name"), number_text(module, "version"), text_in(module, "state"),
               number_text(module, "calls"), number_text(module, "faults"),
               readable_bytes(number_in(member_of(module, "memory"), "bytes")), sockets_text(module),
               listed(routes_of(module), most_routes_columns)});
  }
  return table.empty() ? std::string() : table.text(colours);
}

std::string files_text(const json& answer, bool colours) {
  std::string text;
  for (const json& file : member_of(answer, "files")) {
    if (text_in(file, "status") != "failed") continue;
    text += coloured(colours, Colour::bold, text_in(file, "file") + ": ") +
            coloured(colours, Colour::error, "not deployed") + " (" + text_in(file, "stage") +
            "): " + text_in(file, "message");
    const std::string keeps = text_in(file, "keeps_serving");
    text += (keeps.empty() ? "" : "; " + keeps + ", keeps serving") + "\n";
  }
  return text;
}

std::string module_text(const json& module, bool colours) {
  std::string text = coloured(colours, Colour::bold, text_in(module, "name")) + ", version " +
                     number_text(module, "version") + ", " + text_in(module, "state") + "\n";
  const auto draining = number_in(module, "draining");
  text += fields_text({{"reason", text_in(module, "quarantine_reason")},
                       {"routes", routes_text(module)},
                       {"author", text_in(module, "author")},
                       {"deployed", local_date_and_time(text_in(module, "deployed_at"))},
                       {"hash", text_in(module, "hash")},
                       {"calls", number_text(module, "calls")},
                       {"faults", number_text(module, "faults")},
                       {"memory", memory_text(module)},
                       {"draining", draining == 0 ? "" : std::to_string(draining) + " older versions finish calls"}});
  const json& faults = member_of(module, "recent_faults");
  if (faults.empty()) return text;
  text += coloured(colours, Colour::bold, "recent faults") + ", the newest first\n";
  for (const json& fault : faults) text += fault_text(fault);
  return text;
}

std::string history_text(const json& answer, bool colours) {
  Table table({{"HASH"}, {"DEPLOYED"}, {"SIZE", Table::Align::right}, {"STATE"}});
  for (const json& version : member_of(answer, "versions")) {
    const bool is_live = member_of(version, "live") == true;
    const bool was_live = member_of(version, "was_live") == true;
    table.add({text_in(version, "hash").substr(0, hash_digits), local_date_and_time(text_in(version, "deployed_at")),
               readable_bytes(number_in(version, "bytes")),
               is_live    ? "live"
               : was_live ? ""
                          : "was never live"});
  }
  return table.text(colours);
}

}  // namespace cweb::cli
