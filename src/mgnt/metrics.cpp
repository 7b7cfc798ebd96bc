#include "mgnt/metrics.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace cweb::mgnt {
namespace {

/// A label's value: backslash, quote and line end are escaped.
std::string label(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

class Text {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void value(std::string_view name, uint64_t value) { text_ += fmt::format("{} {}\n", name, value); }
  void value(std::string_view name, std::string_view key, std::string_view of, uint64_t value) {
    text_ += fmt::format("{}{{{}=\"{}\"}} {}\n", name, key, label(of), value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string metrics_text(const DeployCounts& deploys, runtime::Runtime& runtime) {
  const auto modules = runtime.registry().list();
  Text text;
  text.begin("cweb_modules", "gauge", "Modules that are live.");
  text.value("cweb_modules", modules.size());
  text.begin("cweb_deploys_total", "counter", "Deploys by how they ended.");
  text.value("cweb_deploys_total", "result", "deployed", deploys.deployed);
  text.value("cweb_deploys_total", "result", "unchanged", deploys.unchanged);
  text.value("cweb_deploys_total", "result", "failed", deploys.failed);
  text.begin("cweb_module_calls_total", "counter", "Calls of a module's handlers, over all its versions.");
  for (const auto& module : modules)
    text.value("cweb_module_calls_total", "module", module.live->config.name, module.calls);
  text.begin("cweb_module_version", "gauge", "Version of a module that is live, counted from 1.");
  for (const auto& module : modules)
    text.value("cweb_module_version", "module", module.live->config.name, module.live->number);
  text.begin("cweb_module_draining", "gauge", "Older versions of a module that calls are still inside of.");
  for (const auto& module : modules)
    text.value("cweb_module_draining", "module", module.live->config.name, module.draining);
  text.begin("cweb_handovers_total", "counter", "Times a loop went to another thread because a handler blocked.");
  text.value("cweb_handovers_total", runtime.monitor().handovers());
  text.begin("cweb_threads", "gauge", "Threads that drive loops or run module code, idle ones included.");
  text.value("cweb_threads", runtime.spare_threads().count());
  return text.take();
}

}  // namespace cweb::mgnt
