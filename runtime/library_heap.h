// The memory of SQLite and OpenSSL: blocks of the process's allocator with a mark in front of each, which tells whether
// it is allocated and for whom. So one is freed once, and a module frees none that the server needs.
#pragma once

#include <cstddef>

namespace cweb::runtime {

/// Before SQLite is used for the first time; more than once is once.
void set_up_sqlite_heap();
/// Before OpenSSL is used for the first time; more than once is once. False: it was used before, and its blocks have no
/// marks then.
[[nodiscard]] bool set_up_openssl_heap();

enum class LibraryBlock {
  none,     ///< not a block of theirs, or no more
  freed,    ///< one that was given back, as long as its memory is not in use again
  modules,  ///< the library has allocated it for a module
  servers,  ///< the library has allocated it for the server: no module may free it
};
/// Of an address that is in no module's heap. Reads in front of it: of a wild one that may fault.
LibraryBlock library_block(const void* address);

/// The size of a block that is LibraryBlock::modules or servers.
size_t library_block_size(const void* block);
/// Gives back a block that is LibraryBlock::modules. False when another thread was faster.
bool release_library_block(void* block);
/// Makes such a block `size` bytes large, moving it if need be. `was_live` is false when another thread was faster;
/// null, with the old block as it was, when memory is out.
void* resize_library_block(void* block, size_t size, bool& was_live);

}  // namespace cweb::runtime
