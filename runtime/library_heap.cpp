#include "runtime/library_heap.h"

#include <openssl/crypto.h>
#include <sqlite3.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define CWEB_ADDRESS_SANITIZED
#endif
#endif

#include "base/error.h"
#include "runtime/fault_guard.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/process_block.h"

namespace cweb::runtime {
namespace {

/// Stands right before each block.
struct alignas(16) Header {
  uint64_t size : 56;   ///< most_bytes at most
  uint64_t offset : 8;  ///< from what the process's allocator gave to the block
  uint64_t mark;        ///< the block's address mixed with one of the secrets
};

struct Secrets {
  uint64_t modules = 0;
  uint64_t servers = 0;
  uint64_t freed = 0;
};
Secrets secrets;  // written by make_secrets

void make_secrets() {
  static const bool made = [] {
    CWEB_ASSERT(getrandom(&secrets, sizeof secrets, 0) == sizeof secrets);
    return true;
  }();
  static_cast<void>(made);
}

constexpr size_t most_bytes = (uint64_t{1} << 56) - 1;
constexpr size_t most_offset = 2 * sizeof(Header);

/// Of any address.
Header* header_of(const void* block) {
  return reinterpret_cast<Header*>(reinterpret_cast<uintptr_t>(block) - sizeof(Header));
}

uint64_t mark(const void* block, uint64_t secret) {
  return reinterpret_cast<uintptr_t>(block) ^ secret;
}

/// Takes the mark of a live block away. Of several threads that free or move one at a time the exchange lets one.
bool claim(void* block, uint64_t secret) {
  uint64_t expected = mark(block, secret);
  return __atomic_compare_exchange_n(&header_of(block)->mark, &expected, mark(block, secrets.freed), false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/// What a call that is ended inside a library has taken is lost, as README says: to the sanitizer it is no leak.
void expect_loss([[maybe_unused]] const void* given) {
#ifdef CWEB_ADDRESS_SANITIZED
  __lsan_ignore_object(given);
#endif
}

void* finish(char* given, size_t size, size_t offset, uint64_t secret) {
  if (secret == secrets.modules) expect_loss(given);
  char* const block = given + offset;
  Header* const header = header_of(block);
  header->size = size & most_bytes;
  header->offset = static_cast<uint8_t>(offset);
  __atomic_store_n(&header->mark, mark(block, secret), __ATOMIC_RELAXED);
  return block;
}

/// No block begins with a page: whoever looks for a mark in front of an address stays on its page, which is there if
/// the address is any block at all. A sanitizer knows by itself which blocks there are.
bool is_page_start([[maybe_unused]] const void* address) {
#ifdef CWEB_SANITIZED
  return false;
#else
  constexpr size_t page_bytes = 4096;
  return reinterpret_cast<uintptr_t>(address) % page_bytes == 0;
#endif
}

size_t offset_in(const char* given) {
  return is_page_start(given + sizeof(Header)) ? most_offset : sizeof(Header);
}

void* allocate_for(size_t size, uint64_t secret) {
  if (size > most_bytes) return nullptr;
  auto* given = static_cast<char*>(std::malloc(size + sizeof(Header)));
  if (given != nullptr && offset_in(given) != sizeof(Header)) {
    std::free(given);
    given = static_cast<char*>(std::malloc(size + most_offset));
  }
  return given == nullptr ? nullptr : finish(given, size, offset_in(given), secret);
}

void release_claimed(void* block) {
  std::free(static_cast<char*>(block) - header_of(block)->offset);
}

void* resize_claimed(void* block, size_t size, uint64_t secret) {
  const size_t old_size = header_of(block)->size;
  const size_t old_offset = header_of(block)->offset;
  char* const old = static_cast<char*>(block) - old_offset;
  auto* const given = static_cast<char*>(size > most_bytes ? nullptr : std::realloc(old, size + most_offset));
  if (given == nullptr) return finish(old, old_size, old_offset, secret), nullptr;
  const size_t offset = offset_in(given);
  if (offset != old_offset) std::memmove(given + offset, given + old_offset, std::min(old_size, size));
  return finish(given, size, offset, secret);
}

// ---- for the libraries, which call these with their locks held: no section is entered, which could end the call

bool works_for_module() {
  return !HostSection::entered() && current_version() != nullptr;
}

[[noreturn]] void stop_at_no_block(const char* library) {
  const bool can_end_call = works_for_module() && recovery_point() != nullptr;
  CWEB_ASSERT(can_end_call && "what a library frees for the server is a block of its");
  char reason[sizeof FaultRecord::reason];
  std::snprintf(reason, sizeof reason, "%s was made to free a block that is freed already, or never was one", library);
  stop_module_call(reason, true);
}

/// The secret of a block that a library frees or moves, whose mark is taken away. Nothing, where it works for the
/// server, of one that a module has freed already: the library made it in a call of the module's.
std::optional<uint64_t> claim_any(void* block, const char* library) {
  for (const uint64_t secret : {secrets.servers, secrets.modules}) {
    if (header_of(block)->mark == mark(block, secret) && claim(block, secret)) return secret;
  }
  if (!works_for_module() && header_of(block)->mark == mark(block, secrets.freed)) return std::nullopt;
  stop_at_no_block(library);
}

void* allocate(size_t size) {
  return allocate_for(size, works_for_module() ? secrets.modules : secrets.servers);
}

void release(void* block, const char* library) {
  if (claim_any(block, library)) release_claimed(block);
}

void* resize(void* block, size_t size, const char* library) {
  const auto secret = claim_any(block, library);
  return secret ? resize_claimed(block, size, *secret) : nullptr;
}

// SQLite handles null and 0 itself.

constexpr const char* sqlite = "SQLite";

void* sqlite_allocate(int size) {
  return allocate(static_cast<size_t>(size));
}

void sqlite_release(void* block) {
  release(block, sqlite);
}

void* sqlite_resize(void* block, int size) {
  return resize(block, static_cast<size_t>(size), sqlite);
}

int sqlite_size_of(void* block) {
  return block == nullptr ? 0 : static_cast<int>(header_of(block)->size);
}

/// SQLite asks for less than the largest int by more than this.
int sqlite_round_up(int size) {
  constexpr int unit = 8;
  return (size + unit - 1) / unit * unit;
}

// OpenSSL leaves null and 0 to these, which are as CRYPTO_malloc(3) says.

constexpr const char* openssl = "OpenSSL";

void* openssl_allocate(size_t size, const char*, int) {
  return size == 0 ? nullptr : allocate(size);
}

void openssl_release(void* block, const char*, int) {
  if (block != nullptr) release(block, openssl);
}

void* openssl_resize(void* block, size_t size, const char* file, int line) {
  if (block == nullptr) return openssl_allocate(size, file, line);
  if (size != 0) return resize(block, size, openssl);
  release(block, openssl);
  return nullptr;
}

}  // namespace

void set_up_sqlite_heap() {
  static const bool done = [] {
    make_secrets();
    static const sqlite3_mem_methods methods{
        .xMalloc = sqlite_allocate,
        .xFree = sqlite_release,
        .xRealloc = sqlite_resize,
        .xSize = sqlite_size_of,
        .xRoundup = sqlite_round_up,
        .xInit = [](void*) { return SQLITE_OK; },
        .xShutdown = [](void*) {},
        .pAppData = nullptr,
    };
    CWEB_ASSERT(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
    // They are under a lock, which a call that ends in the allocator would leave taken.
    CWEB_ASSERT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
    CWEB_ASSERT(sqlite3_initialize() == SQLITE_OK);
    return true;
  }();
  static_cast<void>(done);
}

bool set_up_openssl_heap() {
  static const bool done = [] {
    make_secrets();
    return CRYPTO_set_mem_functions(openssl_allocate, openssl_resize, openssl_release) == 1;
  }();
  return done;
}

LibraryBlock library_block(const void* address) {
  if (reinterpret_cast<uintptr_t>(address) % alignof(Header) != 0 || is_page_start(address)) return LibraryBlock::none;
  if (!is_process_memory(header_of(address))) return LibraryBlock::none;
  const uint64_t found =
      __atomic_load_n(const_cast<const volatile uint64_t*>(&header_of(address)->mark), __ATOMIC_RELAXED);
  if (found == mark(address, secrets.modules)) return LibraryBlock::modules;
  if (found == mark(address, secrets.servers)) return LibraryBlock::servers;
  return found == mark(address, secrets.freed) ? LibraryBlock::freed : LibraryBlock::none;
}

size_t library_block_size(const void* block) {
  return header_of(block)->size;
}

bool release_library_block(void* block) {
  if (!claim(block, secrets.modules)) return false;
  release_claimed(block);
  return true;
}

void* allocate_server_block(size_t size) {
  make_secrets();
  void* const block = allocate_for(size, secrets.servers);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void release_server_block(void* block) {
  CWEB_ASSERT(claim(block, secrets.servers));
  release_claimed(block);
}

void* resize_library_block(void* block, size_t size, bool& was_live) {
  was_live = claim(block, secrets.modules);
  return was_live ? resize_claimed(block, size, secrets.modules) : nullptr;
}

}  // namespace cweb::runtime
