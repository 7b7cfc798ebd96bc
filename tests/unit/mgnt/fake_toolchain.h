// A compiler and a linker without LLVM: the test says what each source compiles to.
#pragma once

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
#include "unit/fake_image.h"

namespace cweb::mgnt {

struct FakeModule {
  std::string name = "counter";
  std::vector<std::pair<const char*, const char*>> routes = {{"/counter", "GET"}};  ///< path, method
  std::vector<const char*> websockets;
  void (*onload)() = nullptr;
  void (*unload)() = nullptr;
  std::vector<void (*)()> constructors;
  CallShape shape = CallShape::documented;
  std::function<void()> while_compiling;
  std::optional<jit::CompileFailure> compile_failure;
  std::optional<jit::LinkFailure> link_failure;
  std::vector<jit::Diagnostic> warnings;
};

/// The image that a fake module is linked to.
inline std::unique_ptr<runtime::FakeImage> make_image(const FakeModule& module) {
  auto image = std::make_unique<runtime::FakeImage>();
  image->executable_is_inside = true;
  image->set_name(module.name.c_str());
  image->constructor_functions = module.constructors;
  for (const auto& [path, method] : module.routes) {
    image->add_route(path, method, [](http_request*, http_response*) { return 0; }, module.shape);
  }
  for (const char* path : module.websockets) {
    const auto index = static_cast<size_t>(image->config.ws_size++);
    image->config.websockets[index].path = path;
    image->facts_.websockets.push_back({.index = index, .position = {20, 1}});
  }
  image->config.onload = reinterpret_cast<cweb_callback_t>(module.onload);
  if (module.onload != nullptr) image->facts_.onload = CallShape::documented;
  image->config.unload = reinterpret_cast<cweb_callback_t>(module.unload);
  if (module.unload != nullptr) image->facts_.unload = CallShape::documented;
  return image;
}

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
    auto image = make_image(module);
    image->object_text = compilation.object;  // a restart links it again
    return image;
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
