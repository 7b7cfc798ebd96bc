// What of the processor's state functions leave as they found it (System V ABI for x86-64, section 3.2.1), and a module
// may not: the next call on its thread, another module's or the server's own code, would compute something else.
#pragma once

#include <xmmintrin.h>

#include <cstdint>

namespace cweb::runtime {

/// As a thread begins: text is copied forwards, unaligned words may be read, numbers are rounded to the nearest and no
/// arithmetic traps. After each call of a module.
inline void restore_processor_state() {
  constexpr uint64_t direction_and_alignment = uint64_t{1} << 10 | uint64_t{1} << 18;
  constexpr uint32_t default_mxcsr = 0x1f80;
  constexpr uint32_t mxcsr_results = 0x3f;  // what has happened, for fetestexcept
  constexpr uint16_t default_x87 = 0x37f;
  // long double would be computed in registers that vector code has left in use.
  asm volatile("emms");
  const uint64_t flags = __builtin_ia32_readeflags_u64();
  uint16_t x87 = 0;
  asm volatile("fnstcw %0" : "=m"(x87));
  if ((flags & direction_and_alignment) == 0 && (_mm_getcsr() & ~mxcsr_results) == default_mxcsr &&
      x87 == default_x87) {
    return;
  }
  __builtin_ia32_writeeflags_u64(flags & ~direction_and_alignment);
  _mm_setcsr(default_mxcsr);
  asm volatile("fnclex\n\tfldcw %0" : : "m"(default_x87));
}

}  // namespace cweb::runtime
