// Where SQLite's memory comes from: two heaps like those of versions, one for what modules have from SQLite and one for
// what the server has it do. So a block is known by its address, is freed once, and a module frees none of the
// server's.
#pragma once

#include <cstddef>

#include "runtime/heap.h"

namespace cweb::runtime {

/// Before SQLite is used for the first time; more than once is once.
void set_up_sqlite_heap();

/// Of a block that is BlockState::sqlites: may a module free it? False: SQLite made it for the server.
bool is_for_modules(const void* block);

// As block_size, resize_block and release_block, of such a block.
size_t sqlite_block_size(const void* block);
ResizedBlock resize_sqlite_block(void* block, size_t size);
bool release_sqlite_block(void* block);

}  // namespace cweb::runtime
