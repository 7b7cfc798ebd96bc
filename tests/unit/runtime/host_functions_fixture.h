// Calls the functions that modules get instead of libc's the way module code calls them: by name, inside a version.
#pragma once

#include <gtest/gtest.h>
#include <setjmp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/host_symbols.h"
#include "runtime/library_heap.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "unit/fake_image.h"

namespace cweb::runtime {

template <class Function>
Function* host(std::string_view name) {
  for (const HostSymbol& symbol : host_symbols()) {
    if (symbol.name == name) return reinterpret_cast<Function*>(symbol.address);
  }
  ADD_FAILURE() << "no host function " << name;
  return nullptr;
}

class HostFunctionsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(set_up_openssl_heap());
    set_up_host_libraries();
  }
  HostFunctionsTest() : version_(make_version(next_id(), "test", {})) { set_current_version(version_.get()); }
  ~HostFunctionsTest() override { set_current_version(nullptr); }

  /// Runs `function` as a call into the module; the reason when the module ended it.
  template <class Function>
  std::string reason_of(Function function) {
    static thread_local RecoveryPoint point;
    if (sigsetjmp(point.jump, 0) != 0) {
      set_recovery_point(nullptr);
      return point.fault.reason;
    }
    set_recovery_point(&point);
    function();
    set_recovery_point(nullptr);
    return "";
  }

  /// As in the server, no two versions have the same.
  static uint64_t next_id() {
    static uint64_t last = 0;
    return ++last;
  }

  std::shared_ptr<ModuleVersion> version_;
  void* (*malloc_)(size_t) = host<void*(size_t)>("malloc");
  void (*free_)(void*) = host<void(void*)>("free");
};

}  // namespace cweb::runtime
