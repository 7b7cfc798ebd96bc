// SQLite's allocator as modules have it. Its blocks are the process's: SQLite itself frees some that modules have made,
// and the other way round. What is a module's, or nobody's, must not come into the process's allocator.
#include <sqlite3.h>

#include "runtime/fault_guard.h"
#include "runtime/heap.h"
#include "runtime/host_functions.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "runtime/process_block.h"

namespace cweb::runtime {
namespace {

/// A block of SQLite's, or a wild address: the allocator finds out.
bool may_be_sqlites(const void* block) {
  const ModuleVersion* const version = current_version();
  return block_state(block) == BlockState::foreign && !in_response_buffer(block) &&
         (version == nullptr || !version->image().contains(block));
}

/// The process's block begins with the size that SQLite has put in front.
void check_sqlites(const void* block) {
  constexpr size_t size_bytes = 8;
  if (may_be_process_block(static_cast<const char*>(block) - size_bytes)) return;
  stop_module_call("a function of SQLite's allocator was given an address that is not a block of memory");
}

void* host_realloc64(void* block, sqlite3_uint64 size) {
  if (block == nullptr) return sqlite3_malloc64(size);
  if (!may_be_sqlites(block)) return module_realloc(block, size);
  check_sqlites(block);
  const AllocatorProbe probe;
  return sqlite3_realloc64(block, size);
}

void* host_realloc(void* block, int size) {
  return host_realloc64(block, size < 0 ? 0 : static_cast<sqlite3_uint64>(size));
}

sqlite3_uint64 host_msize(void* block) {
  if (block == nullptr) return 0;
  if (!may_be_sqlites(block)) return block_size(block);
  check_sqlites(block);
  return sqlite3_msize(block);
}

}  // namespace

void module_sqlite_free(void* block) {
  if (block == nullptr) return;
  if (!may_be_sqlites(block)) return module_free(block);
  check_sqlites(block);
  const AllocatorProbe probe;
  sqlite3_free(block);
}

std::span<const HostSymbol> sqlite_memory_functions() {
  static const HostSymbol functions[] = {
      host_function("sqlite3_free", module_sqlite_free),
      host_function("sqlite3_realloc", host_realloc),
      host_function("sqlite3_realloc64", host_realloc64),
      host_function("sqlite3_msize", host_msize),
  };
  return functions;
}

}  // namespace cweb::runtime
