// The memory of SQLite and OpenSSL, and what the server shows to modules: blocks of the process's allocator with a mark
// in front of each, which tells whether it is allocated and for whom. So one is freed once, and a module frees none
// that the server needs.
#pragma once

#include <cstddef>
#include <string>

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
  servers,  ///< it is allocated for the server: no module may free it
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

/// A block that is LibraryBlock::servers. Throws std::bad_alloc.
void* allocate_server_block(size_t size);
void release_server_block(void* block);

/// For containers of the server's whose memory modules see.
template <class Type>
struct ServerAllocator {
  using value_type = Type;
  ServerAllocator() = default;
  template <class Other>
  ServerAllocator(const ServerAllocator<Other>&) {}
  Type* allocate(size_t count) { return static_cast<Type*>(allocate_server_block(count * sizeof(Type))); }
  void deallocate(Type* block, size_t) { release_server_block(block); }
  bool operator==(const ServerAllocator&) const { return true; }
};
using ServerText = std::basic_string<char, std::char_traits<char>, ServerAllocator<char>>;

}  // namespace cweb::runtime
