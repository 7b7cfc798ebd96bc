#include "runtime/module_thread.h"

#include <cstdint>

namespace cweb::runtime {
namespace {

thread_local ModuleVersion* version_inside = nullptr;
thread_local uintptr_t response_buffer = 0;
thread_local size_t response_buffer_size = 0;

}  // namespace

ModuleVersion* current_version() {
  return version_inside;
}

void set_current_version(ModuleVersion* version) {
  version_inside = version;
}

void set_response_buffer(const char* begin, size_t size) {
  response_buffer = reinterpret_cast<uintptr_t>(begin);
  response_buffer_size = size;
}

bool in_response_buffer(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - response_buffer < response_buffer_size;
}

}  // namespace cweb::runtime
