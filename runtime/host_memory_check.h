// What host functions do with memory that the module gave, before they hold anything: a wrong pointer or length faults
// here, and is the module's.
#pragma once

#include <cstddef>
#include <cstring>

namespace cweb::runtime {

inline void read_through(const void* memory, size_t length) {
  constexpr size_t page_bytes = 4096;
  const auto* const bytes = static_cast<const volatile char*>(memory);
  for (size_t at = 0; at < length; at += page_bytes) static_cast<void>(bytes[at]);
  if (length > 0) static_cast<void>(bytes[length - 1]);
}

/// The length of a text.
inline size_t read_through(const char* text) {
  const volatile size_t length = std::strlen(text);
  return length;
}

/// The length in bytes of a text in UTF-16, of any alignment.
inline size_t read_through_wide(const void* text) {
  const auto* const bytes = static_cast<const volatile char*>(text);
  size_t length = 0;
  while (bytes[length] != 0 || bytes[length + 1] != 0) length += 2;
  return length;
}

/// To an address of any alignment.
template <class Type>
void store(Type* to, Type value) {
  std::memcpy(static_cast<void*>(to), &value, sizeof value);
}

/// Leaves the bytes as they are.
inline void write_through(void* memory, size_t length) {
  constexpr size_t page_bytes = 4096;
  auto* const bytes = static_cast<volatile char*>(memory);
  for (size_t at = 0; at < length; at += page_bytes) bytes[at] = bytes[at];
  if (length > 0) bytes[length - 1] = bytes[length - 1];
}

}  // namespace cweb::runtime
