#include "runtime/sqlite_heap.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "runtime/fault_guard.h"
#include "runtime/heap_store.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"

namespace cweb::runtime {
namespace {

// Written by set_up_sqlite_heap, never destroyed: SQLite works until the process ends.
HeapStore* modules_store = nullptr;
HeapStore* servers_store = nullptr;

HeapStore* make_store() {
  std::unique_ptr<HeapStore> store = make_arena_store(ModuleHeap::max_bytes);
  if (!store) store = make_plain_store(ModuleHeap::max_bytes);
  store->is_sqlites = true;
  return store.release();
}

/// Null when it is no live block, or no more.
HeapStore* store_of(const void* block) {
  HeapStore* store = nullptr;
  const bool is_live =
      find_arena_block(block, store) == BlockState::live || find_plain_block(block, store) == BlockState::live;
  return is_live ? store : nullptr;
}

// ---- for SQLite, which calls these with its locks held: no section is entered, which could end the call

bool works_for_module() {
  return !HostSection::entered() && current_version() != nullptr;
}

[[noreturn]] void stop_at_no_block() {
  const bool can_end_call = works_for_module() && recovery_point() != nullptr;
  CWEB_ASSERT(can_end_call && "what SQLite frees for the server is a live block");
  stop_module_call("SQLite was made to free a block that is freed already, or never was one", true);
}

void* allocate(int size) {
  HeapStore* const store = works_for_module() ? modules_store : servers_store;
  return store->allocate(static_cast<size_t>(size), 16, false);
}

/// Also a block of a module's heap, which it has given to SQLite.
void release(void* block) {
  HeapStore* const store = store_of(block);
  if (store == nullptr || !store->release(block)) stop_at_no_block();
}

void* resize(void* block, int size) {
  HeapStore* const store = store_of(block);
  const ResizedBlock resized = store == nullptr ? ResizedBlock{} : store->resize(block, static_cast<size_t>(size));
  if (!resized.was_live) stop_at_no_block();
  return resized.block;
}

int size_of(void* block) {
  const HeapStore* const store = store_of(block);
  constexpr size_t most = std::numeric_limits<int>::max();
  return store == nullptr ? 0 : static_cast<int>(std::min(store->size_of(block), most));
}

/// SQLite asks for less than the largest int by more than this.
int round_up(int size) {
  constexpr int unit = 8;
  return (size + unit - 1) / unit * unit;
}

}  // namespace

void set_up_sqlite_heap() {
  static const bool done = [] {
    modules_store = make_store();
    servers_store = make_store();
    static const sqlite3_mem_methods methods{
        .xMalloc = allocate,
        .xFree = release,
        .xRealloc = resize,
        .xSize = size_of,
        .xRoundup = round_up,
        .xInit = [](void*) { return SQLITE_OK; },
        .xShutdown = [](void*) {},
        .pAppData = nullptr,
    };
    CWEB_ASSERT(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
    // Statistics would be one more lock for each block, and the heaps count.
    CWEB_ASSERT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
    CWEB_ASSERT(sqlite3_initialize() == SQLITE_OK);
    return true;
  }();
  static_cast<void>(done);
}

bool is_for_modules(const void* block) {
  const HostSection section;
  return store_of(block) != servers_store;
}

size_t sqlite_block_size(const void* block) {
  const HostSection section;
  const HeapStore* const store = store_of(block);
  return store == nullptr ? 0 : store->size_of(block);
}

ResizedBlock resize_sqlite_block(void* block, size_t size) {
  const HostSection section;
  HeapStore* const store = store_of(block);
  return store == nullptr || store == servers_store ? ResizedBlock{} : store->resize(block, size);
}

bool release_sqlite_block(void* block) {
  const HostSection section;
  HeapStore* const store = store_of(block);
  return store != nullptr && store != servers_store && store->release(block);
}

}  // namespace cweb::runtime
