// The layout of the packed headers, shared by the tool that writes them and the code that reads them.
#pragma once

#include <cstdint>

namespace cweb::jit {

inline constexpr uint32_t archive_magic = 0x62657763;  // "cweb"

struct ArchiveHeader {
  uint32_t magic;
  uint32_t entries;
};

/// Offsets count from the start of the archive. Sizes leave out the NUL that follows each string.
struct ArchiveEntry {
  uint32_t path_offset, path_size;
  uint32_t text_offset, text_size;
};

}  // namespace cweb::jit
