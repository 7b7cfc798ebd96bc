#include "runtime/module_config.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/config_layout.h"
#include "runtime/heap.h"
#include "runtime/route_table.h"

namespace cweb::runtime {
namespace {

constexpr std::array<std::string_view, 7> methods{"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"};
constexpr size_t max_path_bytes = 4096;

template <class T>
using Read = std::expected<T, ConfigError>;

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}

/// A text for a message: whatever is in it, it stays on its line.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) {
    out += is_printable(c) ? std::string(1, c)
                           : fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

class ConfigReader {
 public:
  explicit ConfigReader(const CodeImage& image)
      : image_(image), layout_(image.facts().layout), base_(static_cast<const char*>(image.symbol("config"))) {}

  Read<ModuleConfig> read();

 private:
  std::unexpected<ConfigError> refuse(std::string message, SourcePosition position) const {
    return std::unexpected(ConfigError{std::move(message), position});
  }
  std::unexpected<ConfigError> refuse(std::string message) const {
    return refuse(std::move(message), image_.facts().config_position);
  }

  template <class T>
  static T load(const char* address) {
    T value;
    std::memcpy(&value, address, sizeof value);
    return value;
  }
  void* pointer(const char* row, const MemberLayout& member) const { return load<void*>(row + member.offset); }

  Read<void> read_names();
  Read<size_t> count(const char* member, const std::optional<MemberLayout>& number,
                     const std::optional<MemberLayout>& table, const char* macro) const;
  std::optional<std::string> text_at(const char* address) const;
  Read<std::string> path_of(const char* row, const MemberLayout& member, const std::string& what, bool may_be_pattern,
                            SourcePosition position) const;
  Read<void> read_route(size_t index);
  Read<void> read_web_socket(size_t index);
  Read<void> check_function(const void* function, CallShape shape, const std::string& what,
                            SourcePosition position) const;
  Read<void> read_load_functions();
  Read<void> read_deadline();
  Read<void> read_jobs();

  const CodeImage& image_;
  const ConfigLayout& layout_;
  const char* const base_;
  ModuleConfig config_;
};

Read<ModuleConfig> ConfigReader::read() {
  if (base_ == nullptr || !image_.contains(base_) || layout_.size == 0 || !image_.contains(base_ + layout_.size - 1)) {
    return refuse("the module has no `config`: end it with `export module_t config = { .name = \"...\", ... };`");
  }
  if (!is_sound(layout_)) return refuse("`config` is a 'struct module', but not the one that <cweb.h> defines");
  if (auto names = read_names(); !names) return std::unexpected(names.error());
  const auto routes = count("size", layout_.route_count, layout_.routes, "CWEB_MAX_ROUTES");
  if (!routes) return std::unexpected(routes.error());
  for (size_t i = 0; i < *routes; ++i) {
    if (auto row = read_route(i); !row) return std::unexpected(row.error());
  }
  const auto sockets = count("ws_size", layout_.websocket_count, layout_.websockets, "CWEB_MAX_WEBSOCKETS");
  if (!sockets) return std::unexpected(sockets.error());
  for (size_t i = 0; i < *sockets; ++i) {
    if (auto row = read_web_socket(i); !row) return std::unexpected(row.error());
  }
  if (auto functions = read_load_functions(); !functions) return std::unexpected(functions.error());
  if (auto deadline = read_deadline(); !deadline) return std::unexpected(deadline.error());
  if (auto jobs = read_jobs(); !jobs) return std::unexpected(jobs.error());
  const size_t written = image_.facts().routes.size();
  if (written > *routes) {
    config_.notices.push_back(
        fmt::format("`routes` has {} rows but `size` is {}: only the first {} answer", written, *routes, *routes));
  }
  return std::move(config_);
}

Read<void> ConfigReader::read_names() {
  const auto text = [&](const MemberLayout& member) -> std::optional<std::string> {
    const char* begin = base_ + member.offset;
    const size_t length = strnlen(begin, member.size);
    if (length == member.size) return std::nullopt;
    return std::string(begin, length);
  };
  const auto name = text(*layout_.name);
  if (!name) return refuse(fmt::format("the module's name is too long: at most {} characters", layout_.name->size - 1));
  if (name->empty()) return refuse("the module has no name: set `.name = \"...\"` in `config`");
  if (!std::all_of(name->begin(), name->end(), is_printable)) {
    return refuse(fmt::format("the module's name \"{}\" has characters other than printable ASCII", shown(*name)));
  }
  if (name->find('/') != name->npos || name->find("..") != name->npos || *name == ".") {
    return refuse(fmt::format("the module's name \"{}\" reads like a path: no '/' and no '..' in it", *name));
  }
  if (name->front() == ' ' || name->back() == ' ') {
    return refuse(fmt::format("the module's name \"{}\" begins or ends with a space", *name));
  }
  config_.name = *name;
  const auto author = text(*layout_.author);
  if (!author)
    return refuse(fmt::format("the author's name is too long: at most {} characters", layout_.author->size - 1));
  config_.author = *author;
  return {};
}

Read<size_t> ConfigReader::count(const char* member, const std::optional<MemberLayout>& number,
                                 const std::optional<MemberLayout>& table, const char* macro) const {
  if (!number || !table) return 0;
  const int value = load<int>(base_ + number->offset);
  if (value < 0) return refuse(fmt::format("`{}` is {}: it counts the rows in use", member, value));
  if (static_cast<size_t>(value) > table->element_count) {
    return refuse(
        fmt::format("`{}` is {} but the table has room for {} rows; `#define {} N` before the #include makes "
                    "more room",
                    member, value, table->element_count, macro));
  }
  return static_cast<size_t>(value);
}

/// The text at an address of the module's, or nothing when there is none.
std::optional<std::string> ConfigReader::text_at(const char* address) const {
  size_t readable = 0;
  if (block_state(address) == BlockState::live) {  // made by a constructor
    readable = block_size(address);
  } else {
    while (readable <= max_path_bytes && image_.contains(address + readable) && address[readable] != 0) ++readable;
    if (readable <= max_path_bytes && image_.contains(address + readable)) return std::string(address, readable);
    return std::nullopt;
  }
  const size_t length = strnlen(address, readable);
  if (length == readable) return std::nullopt;
  return std::string(address, length);
}

Read<std::string> ConfigReader::path_of(const char* row, const MemberLayout& member, const std::string& what,
                                        bool may_be_pattern, SourcePosition position) const {
  const auto* address = static_cast<const char*>(pointer(row, member));
  if (address == nullptr) return refuse(what + " has no path", position);
  const auto path = text_at(address);
  if (!path) return refuse(what + " has a path that is not a text of the module", position);
  if (path->size() > max_path_bytes) {
    return refuse(fmt::format("{} has a path of {} bytes; the limit is {}", what, path->size(), max_path_bytes),
                  position);
  }
  const auto bad = std::find_if(path->begin(), path->end(),
                                [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  if (bad != path->end()) {
    return refuse(fmt::format("{} has the path \"{}\": no request has a space or a control character in its path", what,
                              shown(*path)),
                  position);
  }
  const bool pattern = may_be_pattern && is_pattern(*path);
  const bool begins_well =
      path->starts_with('/') || (pattern && std::string_view("^(.[").find(path->front()) != std::string_view::npos);
  if (!begins_well)
    return refuse(fmt::format("{} has the path \"{}\": paths begin with '/'", what, shown(*path)), position);
  if (!pattern && path->find_first_of("?#") != path->npos) {
    return refuse(fmt::format("{} has the path \"{}\": the query is not part of a path", what, shown(*path)), position);
  }
  return *path;
}

Read<void> ConfigReader::check_function(const void* function, CallShape shape, const std::string& what,
                                        SourcePosition position) const {
  if (function == nullptr) return {};
  if (!image_.contains(function)) return refuse(what + " is not a function of the module", position);
  if (shape == CallShape::absent) {
    return refuse(what + " is set while the module runs, where its type cannot be checked: name it in `config`",
                  position);
  }
  return {};
}

Read<void> ConfigReader::read_route(size_t index) {
  const auto& facts = image_.facts().routes;
  const auto fact = std::find_if(facts.begin(), facts.end(), [&](const RouteFact& f) { return f.index == index; });
  RouteConfig route;
  route.position = fact != facts.end() ? fact->position : image_.facts().config_position;
  route.shape = fact != facts.end() ? fact->handler : CallShape::absent;
  const char* row = base_ + layout_.routes->offset + index * layout_.routes->element_size;
  const std::string what = fmt::format("routes[{}]", index);
  auto path = path_of(row, layout_.route_path, what, true, route.position);
  if (!path) return std::unexpected(path.error());
  route.path = std::move(*path);
  route.is_pattern = is_pattern(route.path);

  const auto* method_address = static_cast<const char*>(pointer(row, layout_.route_method));
  if (method_address == nullptr) return refuse(fmt::format("{} ({}) has no method", what, route.path), route.position);
  const auto method = text_at(method_address);
  if (!method || std::find(methods.begin(), methods.end(), *method) == methods.end()) {
    return refuse(fmt::format("{} ({}) has the method \"{}\": expected one of {}", what, route.path,
                              method ? shown(*method) : "", fmt::join(methods, ", ")),
                  route.position);
  }
  route.method = *method;
  route.handler = pointer(row, layout_.route_handler);
  const std::string handler = fmt::format("the handler of {} ({} {})", what, route.method, route.path);
  if (route.handler == nullptr) {
    return refuse(fmt::format("{} ({} {}) has no handler", what, route.method, route.path), route.position);
  }
  if (auto checked = check_function(route.handler, route.shape, handler, route.position); !checked) return checked;
  config_.routes.push_back(std::move(route));
  return {};
}

Read<void> ConfigReader::read_web_socket(size_t index) {
  const auto& facts = image_.facts().websockets;
  const auto fact = std::find_if(facts.begin(), facts.end(), [&](const WebSocketFact& f) { return f.index == index; });
  WebSocketConfig socket;
  socket.position = image_.facts().config_position;
  if (fact != facts.end()) {
    socket.position = fact->position;
    socket.open_shape = fact->on_open;
    socket.message_shape = fact->on_message;
    socket.close_shape = fact->on_close;
  }
  const char* row = base_ + layout_.websockets->offset + index * layout_.websockets->element_size;
  const std::string what = fmt::format("websockets[{}]", index);
  auto path = path_of(row, layout_.websocket_path, what, false, socket.position);
  if (!path) return std::unexpected(path.error());
  socket.path = std::move(*path);
  const auto same = [&](const WebSocketConfig& other) { return other.path == socket.path; };
  if (std::any_of(config_.websockets.begin(), config_.websockets.end(), same)) {
    return refuse(fmt::format("the WebSocket path {} is given twice", socket.path), socket.position);
  }
  socket.on_open = pointer(row, layout_.websocket_on_open);
  socket.on_message = pointer(row, layout_.websocket_on_message);
  socket.on_close = pointer(row, layout_.websocket_on_close);
  const auto check = [&](const void* function, CallShape shape, const char* name) {
    return check_function(function, shape, fmt::format("{} of {}", name, what), socket.position);
  };
  if (auto checked = check(socket.on_open, socket.open_shape, "on_open"); !checked) return checked;
  if (auto checked = check(socket.on_message, socket.message_shape, "on_message"); !checked) return checked;
  if (auto checked = check(socket.on_close, socket.close_shape, "on_close"); !checked) return checked;
  config_.websockets.push_back(std::move(socket));
  return {};
}

Read<void> ConfigReader::read_deadline() {
  if (!layout_.deadline_ms) return {};
  std::memcpy(&config_.deadline_ms, base_ + layout_.deadline_ms->offset, sizeof config_.deadline_ms);
  constexpr int longest_ms = 24 * 60 * 60 * 1000;
  if (config_.deadline_ms >= 0 && config_.deadline_ms <= longest_ms) return {};
  return refuse(
      fmt::format("deadline_ms is {}: expected 0 (the server's) to {} (a day)", config_.deadline_ms, longest_ms),
      image_.facts().config_position);
}

/// Jobs are declared by modules of the context-first generation, and nothing runs them.
Read<void> ConfigReader::read_jobs() {
  const auto jobs = count("job_size", layout_.job_count, layout_.jobs, "CWEB_MAX_JOBS");
  if (!jobs) return std::unexpected(jobs.error());
  if (*jobs > 0) {
    config_.notices.push_back(
        fmt::format("`config` has {} job{}: this server does not run jobs", *jobs, *jobs == 1 ? "" : "s"));
  }
  const auto& uses = image_.facts().external_uses;
  const auto use = std::find_if(uses.begin(), uses.end(), [](const ExternalUse& u) { return u.name == "jobs_create"; });
  if (use != uses.end()) {
    config_.notices.push_back(
        fmt::format("line {} calls jobs_create: this server does not run jobs, so it returns -1", use->position.line));
  }
  return {};
}

Read<void> ConfigReader::read_load_functions() {
  const ModuleFacts& facts = image_.facts();
  config_.onload = layout_.onload ? pointer(base_, *layout_.onload) : nullptr;
  config_.unload = layout_.unload ? pointer(base_, *layout_.unload) : nullptr;
  config_.onload_shape = facts.onload;
  config_.unload_shape = facts.unload;
  if (auto checked = check_function(config_.onload, facts.onload, "onload", facts.config_position); !checked)
    return checked;
  return check_function(config_.unload, facts.unload, "unload", facts.config_position);
}

}  // namespace

std::expected<ModuleConfig, ConfigError> read_config(const CodeImage& image) {
  return ConfigReader(image).read();
}

}  // namespace cweb::runtime
