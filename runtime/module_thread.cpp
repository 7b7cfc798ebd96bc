#include "runtime/module_thread.h"

#include <cstdint>
#include <utility>

namespace cweb::runtime {
namespace {

thread_local ModuleVersion* version_inside = nullptr;
thread_local uintptr_t response_buffer = 0;
thread_local size_t response_buffer_size = 0;
thread_local const ShownMemory* shown_memory = nullptr;

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

size_t response_buffer_left(const void* address) {
  return response_buffer_size - (reinterpret_cast<uintptr_t>(address) - response_buffer);
}

bool behind_response_buffer(const void* address) {
  constexpr size_t guard_bytes = 4096;
  const uintptr_t offset = reinterpret_cast<uintptr_t>(address) - response_buffer;
  return response_buffer_size != 0 && offset >= response_buffer_size && offset < response_buffer_size + guard_bytes;
}

ShownMemory::ShownMemory() : outer_(std::exchange(shown_memory, this)) {}

ShownMemory::~ShownMemory() {
  shown_memory = outer_;
}

bool is_shown_memory(const void* address) {
  for (const ShownMemory* memory = shown_memory; memory != nullptr; memory = memory->outer_) {
    if (memory->contains(address)) return true;
  }
  return false;
}

}  // namespace cweb::runtime
