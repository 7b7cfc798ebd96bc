// SQLite's allocator as modules have it. A block is told by its address: modules free their own with SQLite's
// functions, and SQLite's with free().
#include <sqlite3.h>

#include "runtime/host_functions.h"

namespace cweb::runtime {
namespace {

void host_free(void* block) {
  free_block(block, {"sqlite3_free", true});
}

void* host_realloc64(void* block, sqlite3_uint64 size) {
  return block == nullptr ? sqlite3_malloc64(size) : realloc_block(block, size, {"sqlite3_realloc64", true});
}

void* host_realloc(void* block, int size) {
  if (block == nullptr) return sqlite3_malloc(size);
  return realloc_block(block, size < 0 ? 0 : static_cast<size_t>(size), {"sqlite3_realloc", true});
}

sqlite3_uint64 host_msize(void* block) {
  return usable_size(block, {"sqlite3_msize", true});
}

}  // namespace

std::span<const HostSymbol> sqlite_memory_functions() {
  static const HostSymbol functions[] = {
      host_function("sqlite3_free", host_free),
      host_function("sqlite3_realloc", host_realloc),
      host_function("sqlite3_realloc64", host_realloc64),
      host_function("sqlite3_msize", host_msize),
  };
  return functions;
}

}  // namespace cweb::runtime
