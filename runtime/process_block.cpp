#include "runtime/process_block.h"

#include <cstddef>
#include <cstdint>

#include "runtime/fault_guard.h"

#if defined(CWEB_SANITIZED)

#include <sanitizer/allocator_interface.h>

namespace cweb::runtime {

/// Of the first byte of a block.
bool is_process_memory(const void* address) {
  return __sanitizer_get_ownership(address) != 0;
}

bool may_be_process_block(const void* address) {
  return is_process_memory(address);
}

}  // namespace cweb::runtime

#elif defined(CWEB_JEMALLOC)

#include <jemalloc/jemalloc.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>

#include "base/error.h"

namespace cweb::runtime {
namespace {

// jemalloc has a table for each gigabyte in which it has memory. Asked about an address in another one it faults, which
// can be caught; but the thread that asked keeps in mind that there is no table, and faults again when jemalloc has
// memory there later: in the server's own malloc. So a thread that ends asks, once for each gigabyte: tables stay.

constexpr int gigabyte_bits = 30;
constexpr int address_bits = 47;
constexpr size_t word_bits = 64;
std::array<std::atomic<uint64_t>, (size_t{1} << (address_bits - gigabyte_bits)) / word_bits> gigabytes_with_table;

struct Question {
  const void* address;
  bool answered;
};

void* ask(void* given) {
  auto& question = *static_cast<Question*>(given);
  question.answered =
      survives([](const void* address) { malloc_usable_size(const_cast<void*>(address)); }, question.address);
  return nullptr;
}

/// True only of one that has a table. When there can be no thread it is said to have none.
bool has_table_asked(const void* address) {
  constexpr size_t stack_bytes = size_t{128} << 10;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  Question question{.address = address, .answered = false};
  pthread_t thread{};
  const bool started = pthread_create(&thread, &attributes, ask, &question) == 0;
  pthread_attr_destroy(&attributes);
  if (started) pthread_join(thread, nullptr);
  return question.answered;
}

bool has_table(const void* address) {
  const size_t gigabyte = reinterpret_cast<uintptr_t>(address) >> gigabyte_bits;
  if (gigabyte >= gigabytes_with_table.size() * word_bits) return false;
  std::atomic<uint64_t>& word = gigabytes_with_table[gigabyte / word_bits];
  const uint64_t bit = uint64_t{1} << (gigabyte % word_bits);
  if ((word.load(std::memory_order_relaxed) & bit) != 0) return true;
  if (!has_table_asked(address)) return false;
  word.fetch_or(bit, std::memory_order_relaxed);
  return true;
}

/// That the beginnings of blocks of a size have at least; most insides of blocks have less. Small blocks lie side by
/// side in pages of their own, large ones begin in a cache line of their first page.
size_t alignment_of_blocks(size_t size) {
  constexpr size_t least_large_size = size_t{16} << 10;
  constexpr size_t page_bytes = 4096;
  constexpr size_t line_bytes = 64;
  if (size == 0) return page_bytes;
  return std::min(size & -size, size >= least_large_size ? line_bytes : page_bytes);
}

/// mallctl's "arenas.lookup", as numbers.
struct LookUp {
  std::array<size_t, 2> name{};
  size_t length = 2;

  LookUp() { CWEB_ASSERT(mallctlnametomib("arenas.lookup", name.data(), &length) == 0); }
};

}  // namespace

bool is_process_memory(const void* address) {
  constexpr uintptr_t least_alignment = 8;
  const auto number = reinterpret_cast<uintptr_t>(address);
  // In the lowest gigabyte is null, which everybody frees.
  if (number % least_alignment != 0 || number >> gigabyte_bits == 0) return false;
  const HostSection section;
  static const LookUp look_up;
  if (!has_table(address)) return false;
  unsigned arena = 0;
  size_t size = sizeof arena;
  return mallctlbymib(look_up.name.data(), look_up.length, &arena, &size, &address, sizeof address) == 0;
}

bool may_be_process_block(const void* address) {
  if (!is_process_memory(address)) return false;
  const size_t alignment = alignment_of_blocks(malloc_usable_size(const_cast<void*>(address)));
  return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

}  // namespace cweb::runtime

#else

namespace cweb::runtime {

bool is_process_memory(const void* address) {
  return address != nullptr;
}

bool may_be_process_block(const void* address) {
  return is_process_memory(address);
}

}  // namespace cweb::runtime

#endif
