// What the kernel says about this process, for the process_* metrics that every exporter has.
#pragma once

#include <cstdint>

namespace cweb::mgnt {

struct ProcessFacts {
  double cpu_seconds = 0;  ///< user and system; without the compile helpers
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t descriptor_limit = 0;
  double started_at = 0;  ///< seconds since 1970
};

/// What cannot be found out is 0. Opens files below /proc.
ProcessFacts process_facts();

}  // namespace cweb::mgnt
