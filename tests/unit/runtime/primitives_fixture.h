// Versions that are live, with the runtime and what modules find in it, and calls that look like a module's.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "runtime/database_session.h"
#include "runtime/host_objects.h"
#include "runtime/host_symbols.h"
#include "runtime/module_thread.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "unit/fake_image.h"

namespace cweb::runtime {

class PrimitivesTest : public testing::Test {
 protected:
  explicit PrimitivesTest(size_t cache_bytes = size_t{1} << 20)
      : runtime_(*Runtime::create()), primitives_(*Primitives::create(*runtime_, {.cache_bytes = cache_bytes})) {}
  ~PrimitivesTest() override {
    set_current_version(nullptr);
    EXPECT_TRUE(runtime_->unload_all(std::chrono::seconds(10)));
  }

  std::shared_ptr<ModuleVersion> deploy(const std::string& name, void (*unload)() = nullptr) {
    auto version = make_version(++versions_, name, {{"GET", "/" + name}}, nullptr, unload);
    version->threads = runtime_->registry().threads_of(name);
    auto claim = runtime_->registry().claim(version);
    EXPECT_TRUE(claim.has_value());
    runtime_->registry().publish(std::move(*claim));
    return version;
  }

  /// What module code links to by this name.
  template <class Function>
  static Function* host(std::string_view name) {
    for (const HostSymbol& symbol : host_symbols()) {
      if (symbol.name == name) return reinterpret_cast<Function*>(symbol.address);
    }
    ADD_FAILURE() << "no host function " << name;
    return nullptr;
  }

  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Primitives> primitives_;

 private:
  uint64_t versions_ = 0;
};

/// As if the thread were inside a call of the version.
class Inside {
 public:
  explicit Inside(const std::shared_ptr<ModuleVersion>& version) { set_current_version(version.get()); }
  ~Inside() {
    DatabaseSession::end_call();
    set_current_version(nullptr);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

}  // namespace cweb::runtime
