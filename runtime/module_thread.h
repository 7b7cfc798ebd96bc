// What the current thread is doing for modules: which version's code it is inside. The functions that module code calls
// (host_symbols) find the version's heap and thread-local storage here.
#pragma once

#include <cstddef>

namespace cweb::runtime {

class ModuleVersion;

/// The version whose code this thread is inside, or null.
ModuleVersion* current_version();

/// For runtime/invoke, and for the threads that modules start.
void set_current_version(ModuleVersion* version);

/// The buffer that res->body points to on this thread, so that a module's free() knows it; null and 0 when there is
/// none.
void set_response_buffer(const char* begin, size_t size);
bool in_response_buffer(const void* address);
/// Bytes from an address in the buffer to its end.
size_t response_buffer_left(const void* address);
/// In the guard page behind it.
bool behind_response_buffer(const void* address);

/// What else of the server's memory a call on this thread sees, and no module may free: its request, or a message. From
/// before the call until after it, on its thread; one within another adds to it.
class ShownMemory {
 public:
  ShownMemory(const ShownMemory&) = delete;
  ShownMemory& operator=(const ShownMemory&) = delete;

 protected:
  ShownMemory();
  ~ShownMemory();

 private:
  friend bool is_shown_memory(const void* address);
  virtual bool contains(const void* address) const = 0;

  const ShownMemory* const outer_;
};
bool is_shown_memory(const void* address);

}  // namespace cweb::runtime
