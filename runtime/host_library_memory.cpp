// The allocators of SQLite and OpenSSL as modules have them. A block is told by its address: modules free their own
// with the libraries' functions, and the libraries' with free().
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "runtime/host_functions.h"

namespace cweb::runtime {
namespace {

constexpr const char* sqlite = "SQLite";

void sqlite_free(void* block) {
  free_block(block, {"sqlite3_free", sqlite});
}

void* sqlite_realloc64(void* block, sqlite3_uint64 size) {
  return block == nullptr ? sqlite3_malloc64(size) : realloc_block(block, size, {"sqlite3_realloc64", sqlite});
}

void* sqlite_realloc(void* block, int size) {
  if (block == nullptr) return sqlite3_malloc(size);
  return realloc_block(block, size < 0 ? 0 : static_cast<size_t>(size), {"sqlite3_realloc", sqlite});
}

sqlite3_uint64 sqlite_msize(void* block) {
  return usable_size(block, {"sqlite3_msize", sqlite});
}

// What the macros OPENSSL_free, OPENSSL_realloc ... of <openssl/crypto.h> stand for; see CRYPTO_malloc(3).

constexpr const char* openssl = "OpenSSL";

void openssl_free(void* block, const char*, int) {
  free_block(block, {"OPENSSL_free", openssl});
}

void* openssl_realloc(void* block, size_t size, const char* file, int line) {
  return block == nullptr ? CRYPTO_malloc(size, file, line) : realloc_block(block, size, {"OPENSSL_realloc", openssl});
}

void clear_and_free(void* block, size_t size, MemoryFunction function) {
  if (block == nullptr) return;
  OPENSSL_cleanse(block, std::min(size, usable_size(block, function)));
  free_block(block, function);
}

void openssl_clear_free(void* block, size_t size, const char*, int) {
  clear_and_free(block, size, {"OPENSSL_clear_free", openssl});
}

void* openssl_clear_realloc(void* block, size_t old_size, size_t size, const char* file, int line) {
  constexpr MemoryFunction function{"OPENSSL_clear_realloc", openssl};
  if (block == nullptr) return CRYPTO_malloc(size, file, line);
  const size_t kept = std::min({old_size, size, usable_size(block, function)});
  void* const moved = size == 0 ? nullptr : CRYPTO_malloc(size, file, line);
  if (size != 0 && moved == nullptr) return nullptr;
  if (kept > 0) std::memcpy(moved, block, kept);
  clear_and_free(block, old_size, function);
  return moved;
}

}  // namespace

std::span<const HostSymbol> library_memory_functions() {
  static const HostSymbol functions[] = {
      host_function("sqlite3_free", sqlite_free),
      host_function("sqlite3_realloc", sqlite_realloc),
      host_function("sqlite3_realloc64", sqlite_realloc64),
      host_function("sqlite3_msize", sqlite_msize),
      host_function("CRYPTO_free", openssl_free),
      host_function("CRYPTO_realloc", openssl_realloc),
      host_function("CRYPTO_clear_free", openssl_clear_free),
      host_function("CRYPTO_clear_realloc", openssl_clear_realloc),
  };
  return functions;
}

}  // namespace cweb::runtime
