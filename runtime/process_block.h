// What may be given to the process's own allocator when a module wants an address freed that is in no module's heap.
#pragma once

#ifdef CWEB_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif

#include <cstddef>
#include <cstdint>

namespace cweb::runtime {

/// False: it is none. True of a wild address as well, unless a sanitizer knows: the allocator finds out
/// (AllocatorProbe). jemalloc keeps in mind, for each thread, that it has nothing in the gigabyte of an address that it
/// was asked about, and faults at the next address there. In the lowest one that is null, which everybody frees: the
/// server with it.
inline bool may_be_process_block(const void* address) {
#ifdef CWEB_SANITIZED
  return __sanitizer_get_ownership(address) != 0;
#else
  return reinterpret_cast<uintptr_t>(address) >= size_t{1} << 30;
#endif
}

}  // namespace cweb::runtime
