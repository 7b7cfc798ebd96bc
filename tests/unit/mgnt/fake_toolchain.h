// A compiler and a linker without LLVM: the test says what each source compiles to.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jit/compiler.h"
#include "jit/linker.h"

namespace cweb::mgnt {

struct FakeModule {
  std::string name = "counter";
  std::vector<std::pair<const char*, const char*>> routes = {{"/counter", "GET"}};  ///< path, method
  std::vector<const char*> websockets;
  void (*onload)() = nullptr;
  std::vector<void (*)()> constructors;
  CallShape shape = CallShape::documented;
  std::function<void()> while_compiling;
  std::optional<jit::CompileFailure> compile_failure;
  std::optional<jit::LinkFailure> link_failure;
  std::vector<jit::Diagnostic> warnings;
};

/// A `config` as a compiled module would hold it, in memory of the test's.
class FakeImage final : public CodeImage {
 public:
  explicit FakeImage(const FakeModule& module) : constructors_(module.constructors) {
    std::strncpy(config_.name, module.name.c_str(), sizeof config_.name - 1);
    for (const auto& [path, method] : module.routes) {
      const auto index = static_cast<size_t>(config_.size++);
      config_.routes[index] = {path, method, reinterpret_cast<void*>(&handle), 0};
      facts_.routes.push_back({.index = index,
                               .position = {10 + static_cast<unsigned>(index), 1},
                               .handler = module.shape,
                               .handler_name = "f"});
    }
    for (const char* path : module.websockets) {
      const auto index = static_cast<size_t>(config_.ws_size++);
      config_.websockets[index] = {path, nullptr, nullptr, nullptr};
      facts_.websockets.push_back({.index = index, .position = {20, 1}});
    }
    config_.onload = module.onload;
    if (module.onload != nullptr) facts_.onload = CallShape::documented;
    facts_.config_position = {1, 1};
    describe_layout();
  }

  void* symbol(std::string_view name) const override {
    return name == "config" ? const_cast<Config*>(&config_) : nullptr;
  }
  std::span<void (*const)()> constructors() const override { return constructors_; }
  bool contains(const void* address) const override { return address != nullptr; }
  std::vector<CodeLocation> locate(uintptr_t) const override { return {}; }
  const ModuleFacts& facts() const override { return facts_; }
  size_t bytes() const override { return sizeof config_; }

 private:
  struct Route {
    const char* path;
    const char* method;
    void* handler;
    int flags;
  };
  struct WebSocket {
    const char* path;
    void *on_open, *on_message, *on_close;
  };
  struct Config {
    char name[128];
    char author[128];
    Route routes[10];
    int size;
    WebSocket websockets[10];
    int ws_size;
    void (*onload)();
    void (*unload)();
  };
  static int handle(http_request*, http_response*) { return 0; }

  void describe_layout() {
    ConfigLayout& layout = facts_.layout;
    layout.size = sizeof(Config);
    layout.name = {offsetof(Config, name), sizeof config_.name, 1, sizeof config_.name};
    layout.author = {offsetof(Config, author), sizeof config_.author, 1, sizeof config_.author};
    layout.routes = {offsetof(Config, routes), sizeof config_.routes, sizeof(Route), 10};
    layout.route_count = {offsetof(Config, size), sizeof(int), 0, 0};
    layout.websockets = {offsetof(Config, websockets), sizeof config_.websockets, sizeof(WebSocket), 10};
    layout.websocket_count = {offsetof(Config, ws_size), sizeof(int), 0, 0};
    layout.onload = {offsetof(Config, onload), sizeof(void*), 0, 0};
    layout.unload = {offsetof(Config, unload), sizeof(void*), 0, 0};
    layout.route_path = {offsetof(Route, path), sizeof(void*), 0, 0};
    layout.route_method = {offsetof(Route, method), sizeof(void*), 0, 0};
    layout.route_handler = {offsetof(Route, handler), sizeof(void*), 0, 0};
    layout.route_flags = {offsetof(Route, flags), sizeof(int), 0, 0};
    layout.websocket_path = {offsetof(WebSocket, path), sizeof(void*), 0, 0};
    layout.websocket_on_open = {offsetof(WebSocket, on_open), sizeof(void*), 0, 0};
    layout.websocket_on_message = {offsetof(WebSocket, on_message), sizeof(void*), 0, 0};
    layout.websocket_on_close = {offsetof(WebSocket, on_close), sizeof(void*), 0, 0};
  }

  Config config_{};
  std::vector<void (*)()> constructors_;
  ModuleFacts facts_;
};

class FakeToolchain final : public jit::Compiler, public jit::Linker {
 public:
  /// From now on this source compiles to that module.
  void know(const std::string& source, FakeModule module) {
    const std::lock_guard lock(mutex_);
    modules_[source] = std::move(module);
  }
  int compiles() const {
    const std::lock_guard lock(mutex_);
    return compiles_;
  }

  std::expected<jit::Compilation, jit::CompileFailure> compile(std::string_view source) override {
    const FakeModule module = find(source, /*compiling=*/true);
    if (module.while_compiling) module.while_compiling();
    if (module.compile_failure) return std::unexpected(*module.compile_failure);
    jit::Compilation compilation;
    compilation.object = source;
    compilation.diagnostics = module.warnings;
    for (const auto& warning : module.warnings) compilation.rendered += "warning: " + warning.message + "\n";
    return compilation;
  }
  std::vector<pid_t> helper_pids() const override { return {}; }

  std::expected<std::unique_ptr<CodeImage>, jit::LinkFailure> link(const jit::Compilation& compilation,
                                                                   std::string_view) override {
    const FakeModule module = find(compilation.object, /*compiling=*/false);
    if (module.link_failure) return std::unexpected(*module.link_failure);
    return std::make_unique<FakeImage>(module);
  }

 private:
  FakeModule find(std::string_view source, bool compiling) {
    const std::lock_guard lock(mutex_);
    compiles_ += compiling ? 1 : 0;
    return modules_.at(std::string(source));
  }

  mutable std::mutex mutex_;
  std::map<std::string, FakeModule> modules_;  // guarded by mutex_
  int compiles_ = 0;                           // guarded by mutex_
};

}  // namespace cweb::mgnt
