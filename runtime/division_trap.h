// The instruction that a module meets where it divides by what is known to be zero when it is compiled.
#pragma once

#include <array>
#include <cstdint>

namespace cweb::runtime {

/// LLVM's ubsantrap with this number or a higher one: Clang's own numbers end far below.
constexpr unsigned first_division_trap = 64;

/// `code` is where an instruction has begun that ended in SIGILL: it can be read to its end.
inline bool is_division_trap(uintptr_t code) {
  constexpr std::array<unsigned char, 4> ud1{0x67, 0x0f, 0xb9, 0x40};  // ud1 number(%eax), %eax
  const auto* const bytes = reinterpret_cast<const unsigned char*>(code);
  for (std::size_t i = 0; i < ud1.size(); ++i) {
    if (bytes[i] != ud1[i]) return false;
  }
  return bytes[ud1.size()] >= first_division_trap;
}

}  // namespace cweb::runtime
