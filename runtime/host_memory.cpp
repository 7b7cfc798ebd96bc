// malloc and what returns memory that is freed with free(): from the heap of the version that asks.
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <cwchar>

#include "runtime/fault_guard.h"
#include "runtime/heap.h"
#include "runtime/host_functions.h"
#include "runtime/library_heap.h"
#include "runtime/module_output.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "runtime/process_block.h"

namespace cweb::runtime {
namespace {

constexpr size_t default_alignment = 16;

void* allocate(size_t size, size_t alignment, bool zeroed) {
  ModuleVersion* version = current_version();
  void* block = nullptr;
  if (version != nullptr) {
    block = version->heap().allocate(size, std::max(alignment, default_alignment), zeroed);
  } else {
    const size_t rounded = (std::max(alignment, default_alignment) + size) & ~(alignment - 1);
    block = alignment <= default_alignment ? malloc(size) : aligned_alloc(alignment, rounded);
    if (block != nullptr && zeroed) std::memset(block, 0, size);
  }
  if (block == nullptr) errno = ENOMEM;
  return block;
}

/// A module that does not look at what it gets may ask for ever, and is hardly ever in its own code.
void* stop_if_in_vain(void* block) {
  if (block == nullptr) stop_when_overdue();
  return block;
}

[[noreturn]] void stop_at(MemoryFunction function, const char* given) {
  char reason[sizeof FaultRecord::reason];
  std::snprintf(reason, sizeof reason, "%s() was given %s", function.name, given);
  stop_module_call(reason);
}

[[noreturn]] void stop_at_no_block_of(MemoryFunction function) {
  char given[sizeof FaultRecord::reason];
  std::snprintf(given, sizeof given, "a block that is freed already, or is not a block of %s's memory",
                function.library);
  stop_at(function, given);
}

constexpr const char* freed_block = "a block that is freed already, or the inside of one";

/// Blocks that are no module's: the buffer of the response, memory of the image, what a library took from the process.
bool is_own_memory(const void* address) {
  const ModuleVersion* version = current_version();
  return version != nullptr && version->image().contains(address);
}

/// What a block is that is in no module's heap: none: one that a library took from the process. Ends the call where it
/// is known to be no block, or the server's.
LibraryBlock look_at_foreign(const void* block, MemoryFunction function) {
  if (is_own_memory(block)) stop_at(function, "memory of the module itself: a static object or a literal");
  if (is_shown_memory(block)) stop_at(function, "memory of the request, the response or the message, which is cweb's");
  if (is_output_file(static_cast<const FILE*>(block))) stop_at(function, "stdout or stderr, which are cweb's");
  LibraryBlock found = LibraryBlock::none;
  {
    const AllocatorProbe probe(function.name);
    found = library_block(block);
  }
  if (found == LibraryBlock::freed) stop_at(function, freed_block);
  if (found != LibraryBlock::none) return found;
  if (function.library != nullptr) stop_at_no_block_of(function);
  if (!may_be_process_block(block)) stop_at(function, "an address that is not a block of memory");
  return found;
}

/// The same for what frees or moves it.
LibraryBlock look_at_foreign_to_free(const void* block, MemoryFunction function) {
  const LibraryBlock found = look_at_foreign(block, function);
  if (found == LibraryBlock::servers) stop_at(function, "memory that cweb or a library is using");
  return found;
}

void* host_malloc(size_t size) {
  return stop_if_in_vain(allocate(size, default_alignment, false));
}

void* realloc_foreign(void* block, size_t size, MemoryFunction function) {
  if (in_response_buffer(block)) {
    void* copy = host_malloc(size);
    if (copy != nullptr) std::memcpy(copy, block, std::min(size, response_buffer_left(block)));
    return copy;
  }
  if (look_at_foreign_to_free(block, function) == LibraryBlock::modules) {
    bool was_live = false;
    void* const moved = resize_library_block(block, size, was_live);
    if (!was_live) stop_at(function, freed_block);
    if (moved == nullptr) errno = ENOMEM;
    return moved;
  }
  const AllocatorProbe probe(function.name);
  return realloc(block, size);
}

void* host_calloc(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return errno = ENOMEM, nullptr;
  return stop_if_in_vain(allocate(bytes, default_alignment, true));
}

void host_free(void* block) {
  free_block(block, {"free"});
}

void* host_realloc(void* block, size_t size) {
  return realloc_block(block, size, {"realloc"});
}

void* host_reallocarray(void* block, size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return errno = ENOMEM, nullptr;
  return realloc_block(block, bytes, {"reallocarray"});
}

bool is_power_of_two(size_t number) {
  return number != 0 && (number & (number - 1)) == 0;
}

void* host_aligned_alloc(size_t alignment, size_t size) {
  if (!is_power_of_two(alignment)) return errno = EINVAL, nullptr;
  return allocate(size, alignment, false);
}

int host_posix_memalign(void** block, size_t alignment, size_t size) {
  if (!is_power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  void* const allocated = allocate(size, alignment, false);
  if (allocated == nullptr) return ENOMEM;
  *block = allocated;
  return 0;
}

void* host_valloc(size_t size) {
  return allocate(size, static_cast<size_t>(sysconf(_SC_PAGESIZE)), false);
}

size_t host_malloc_usable_size(void* block) {
  return usable_size(block, {"malloc_usable_size"});
}

char* copy_text(const char* text, size_t length) {
  auto* copy = static_cast<char*>(host_malloc(length + 1));
  if (copy == nullptr) return nullptr;
  if (length > 0) std::memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

char* host_strdup(const char* text) {
  return copy_text(text, std::strlen(text));
}
char* host_strndup(const char* text, size_t limit) {
  return copy_text(text, limit == 0 ? 0 : strnlen(text, limit));
}

wchar_t* host_wcsdup(const wchar_t* text) {
  const size_t bytes = (std::wcslen(text) + 1) * sizeof(wchar_t);
  void* copy = host_malloc(bytes);
  return copy == nullptr ? nullptr : static_cast<wchar_t*>(std::memcpy(copy, text, bytes));
}

char* host_realpath(const char* path, char* resolved) {
  if (resolved != nullptr) return realpath(path, resolved);
  char found[PATH_MAX];
  return realpath(path, found) == nullptr ? nullptr : host_strdup(found);
}

char* host_getcwd(char* buffer, size_t size) {
  if (buffer != nullptr) return getcwd(buffer, size);
  char found[PATH_MAX];
  if (getcwd(found, sizeof found) == nullptr) return nullptr;
  if (size != 0 && size <= std::strlen(found)) return errno = ERANGE, nullptr;
  return host_strdup(found);
}

char* host_get_current_dir_name() {
  return host_getcwd(nullptr, 0);
}

}  // namespace

void free_block(void* block, MemoryFunction function) {
  if (block == nullptr) return;
  switch (block_state(block)) {
    case BlockState::live:
      if (release_block(block)) return;
      // Another thread was faster.
      [[fallthrough]];
    case BlockState::freed:
      stop_at(function, freed_block);
    case BlockState::foreign:
      break;
  }
  // `free(res->body)` before pointing it elsewhere is what many modules do.
  if (in_response_buffer(block)) return;
  if (look_at_foreign_to_free(block, function) == LibraryBlock::modules) {
    if (release_library_block(block)) return;
    stop_at(function, freed_block);
  }
  const AllocatorProbe probe(function.name);
  free(block);
}

void* realloc_block(void* block, size_t size, MemoryFunction function) {
  if (block == nullptr) return host_malloc(size);
  if (size == 0) return free_block(block, function), nullptr;
  switch (block_state(block)) {
    case BlockState::live:
      if (const ResizedBlock resized = resize_block(block, size); resized.was_live) {
        if (resized.block == nullptr) errno = ENOMEM;
        return resized.block;
      }
      // Another thread was faster.
      [[fallthrough]];
    case BlockState::freed:
      stop_at(function, freed_block);
    case BlockState::foreign:
      break;
  }
  return realloc_foreign(block, size, function);
}

size_t usable_size(const void* block, MemoryFunction function) {
  if (block == nullptr) return 0;
  switch (block_state(block)) {
    case BlockState::live:
      return block_size(block);
    case BlockState::freed:
      stop_at(function, freed_block);
    case BlockState::foreign:
      break;
  }
  if (in_response_buffer(block)) return response_buffer_left(block);
  if (look_at_foreign(block, function) != LibraryBlock::none) return library_block_size(block);
  const AllocatorProbe probe(function.name);
  return malloc_usable_size(const_cast<void*>(block));
}

void* module_malloc(size_t size) {
  return allocate(size, default_alignment, false);
}
void* module_realloc(void* block, size_t size) {
  return host_realloc(block, size);
}
void module_free(void* block) {
  host_free(block);
}

std::span<const HostSymbol> memory_functions() {
  static const HostSymbol functions[] = {
      host_function("malloc", host_malloc),
      host_function("calloc", host_calloc),
      host_function("realloc", host_realloc),
      host_function("reallocarray", host_reallocarray),
      host_function("free", host_free),
      host_function("cfree", host_free),
      host_function("aligned_alloc", host_aligned_alloc),
      host_function("memalign", host_aligned_alloc),
      host_function("posix_memalign", host_posix_memalign),
      host_function("valloc", host_valloc),
      host_function("pvalloc", host_valloc),
      host_function("malloc_usable_size", host_malloc_usable_size),
      host_function("strdup", host_strdup),
      host_function("__strdup", host_strdup),
      host_function("strndup", host_strndup),
      host_function("__strndup", host_strndup),
      host_function("wcsdup", host_wcsdup),
      host_function("realpath", host_realpath),
      host_function("getcwd", host_getcwd),
      host_function("get_current_dir_name", host_get_current_dir_name),
  };
  return functions;
}

}  // namespace cweb::runtime
