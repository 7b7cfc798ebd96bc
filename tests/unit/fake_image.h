// A code image whose "code" is functions of the test itself, so that the runtime is tested without a compiler.
#pragma once

#include <cweb.h>
#include <link.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/code_image.h"
#include "runtime/module_version.h"
#include "runtime/route_table.h"

namespace cweb::runtime {

class FakeImage final : public CodeImage {
 public:
  /// Inside are `config`, the texts and the functions given, and with executable_is_inside the test's own code and
  /// data.
  FakeImage() {
    facts_.layout = layout();
    facts_.config_position = {7, 1};
  }
  ~FakeImage() override {
    if (destroyed != nullptr) *destroyed = true;
  }

  module_t config{};
  bool has_config = true;
  std::set<const void*> functions;    ///< that are said to be inside
  bool executable_is_inside = false;  ///< and not its libraries
  std::vector<void (*)()> constructor_functions;
  std::string object_text;               ///< what it was linked from
  std::span<const std::byte> addresses;  ///< by which its code is found from calls of other versions
  bool* destroyed = nullptr;             ///< becomes true with the image

  /// Adds a row with its fact; the texts must be literals.
  void add_route(const char* path, const char* method, int (*handler)(http_request*, http_response*),
                 CallShape shape = CallShape::documented) {
    const auto index = static_cast<size_t>(config.size++);
    config.routes[index] = {path, method, reinterpret_cast<entry_t>(reinterpret_cast<void (*)()>(handler)), NONE};
    functions.insert(reinterpret_cast<const void*>(handler));
    facts_.routes.push_back({index, {10 + static_cast<unsigned>(index), 5}, shape, "handler"});
  }
  void set_name(const char* name) { std::snprintf(config.name, sizeof config.name, "%s", name); }

  void* symbol(std::string_view name) const override {
    return has_config && name == "config" ? const_cast<module_t*>(&config) : nullptr;
  }
  std::string_view object() const override { return object_text; }
  std::span<void (*const)()> constructors() const override { return constructor_functions; }
  bool contains(const void* address) const override {
    const auto* byte = static_cast<const char*>(address);
    if (executable_is_inside && in_executable(byte)) return true;
    const auto* begin = reinterpret_cast<const char*>(&config);
    if (byte >= begin && byte < begin + sizeof config) return true;
    if (functions.contains(address)) return true;
    for (const std::string_view text : texts) {
      if (byte >= text.data() && byte <= text.data() + text.size()) return true;
    }
    return false;
  }
  std::span<const std::byte> memory() const override { return addresses; }
  size_t readable_bytes(const void* address) const override {
    for (const std::string_view text : texts) {
      const auto* byte = static_cast<const char*>(address);
      if (byte >= text.data() && byte <= text.data() + text.size()) {
        return static_cast<size_t>(text.data() + text.size() + 1 - byte);
      }
    }
    return 0;
  }
  std::vector<CodeLocation> locate(uintptr_t) const override { return {}; }
  const ModuleFacts& facts() const override { return facts_; }
  size_t bytes() const override { return sizeof *this; }

  ModuleFacts facts_;
  std::vector<std::string_view> texts;

  static ConfigLayout layout() {
    ConfigLayout layout;
    layout.size = sizeof(module_t);
    layout.name = MemberLayout{offsetof(module_t, name), sizeof(module_t::name), 1, sizeof(module_t::name)};
    layout.author = MemberLayout{offsetof(module_t, author), sizeof(module_t::author), 1, sizeof(module_t::author)};
    layout.routes =
        MemberLayout{offsetof(module_t, routes), sizeof(module_t::routes), sizeof(route_info_t), CWEB_MAX_ROUTES};
    layout.route_count = MemberLayout{offsetof(module_t, size), sizeof(int), 0, 0};
    layout.websockets = MemberLayout{offsetof(module_t, websockets), sizeof(module_t::websockets),
                                     sizeof(websocket_info_t), CWEB_MAX_WEBSOCKETS};
    layout.websocket_count = MemberLayout{offsetof(module_t, ws_size), sizeof(int), 0, 0};
    layout.onload = MemberLayout{offsetof(module_t, onload), sizeof(void*), 0, 0};
    layout.unload = MemberLayout{offsetof(module_t, unload), sizeof(void*), 0, 0};
    layout.jobs = MemberLayout{offsetof(module_t, jobs), sizeof(module_t::jobs), sizeof(job_info_t), CWEB_MAX_JOBS};
    layout.job_count = MemberLayout{offsetof(module_t, job_size), sizeof(int), 0, 0};
    layout.route_path = {offsetof(route_info_t, path), sizeof(void*), 0, 0};
    layout.route_method = {offsetof(route_info_t, method), sizeof(void*), 0, 0};
    layout.route_handler = {offsetof(route_info_t, handler), sizeof(void*), 0, 0};
    layout.route_flags = {offsetof(route_info_t, flags), sizeof(int), 0, 0};
    layout.websocket_path = {offsetof(websocket_info_t, path), sizeof(void*), 0, 0};
    layout.websocket_on_open = {offsetof(websocket_info_t, on_open), sizeof(void*), 0, 0};
    layout.websocket_on_message = {offsetof(websocket_info_t, on_message), sizeof(void*), 0, 0};
    layout.websocket_on_close = {offsetof(websocket_info_t, on_close), sizeof(void*), 0, 0};
    return layout;
  }

 private:
  using Segments = std::vector<std::pair<const char*, const char*>>;

  /// All of it can be read: who traces a call reads what lies before an address that is said to be inside.
  static bool in_executable(const char* byte) {
    return std::ranges::any_of(executable_,
                               [=](const auto& segment) { return byte >= segment.first && byte < segment.second; });
  }
  static Segments segments_of_executable() {
    Segments segments;
    dl_iterate_phdr(
        [](dl_phdr_info* executable, size_t, void* found) {
          for (int i = 0; i < executable->dlpi_phnum; ++i) {
            const auto& part = executable->dlpi_phdr[i];
            if (part.p_type != PT_LOAD) continue;
            const auto* const begin = reinterpret_cast<const char*>(executable->dlpi_addr + part.p_vaddr);
            static_cast<Segments*>(found)->emplace_back(begin, begin + part.p_memsz);
          }
          return 1;  // the first object is the executable
        },
        &segments);
    return segments;
  }
  static inline const Segments executable_ = segments_of_executable();
};

/// A version that is ready to be claimed, with routes as {method, path}.
inline std::shared_ptr<ModuleVersion> make_version(uint64_t id, const std::string& name,
                                                   const std::vector<std::pair<std::string, std::string>>& routes,
                                                   int (*handler)(http_request*, http_response*) = nullptr,
                                                   void (*unload)() = nullptr, bool* destroyed = nullptr) {
  auto image = std::make_unique<FakeImage>();
  image->destroyed = destroyed;
  auto version = std::make_shared<ModuleVersion>(id, std::move(image));
  version->config.name = name;
  version->config.unload = reinterpret_cast<void*>(unload);
  for (const auto& [method, path] : routes) {
    RouteConfig route;
    route.path = path;
    route.method = method;
    route.is_pattern = is_pattern(path);
    if (route.is_pattern) route.pattern = *RoutePattern::compile(path);
    route.handler = reinterpret_cast<void*>(handler);
    version->config.routes.push_back(std::move(route));
  }
  return version;
}

}  // namespace cweb::runtime
