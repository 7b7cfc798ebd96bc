// Reads the index of the embedded headers. Any thread; nothing is copied but the index.
#include "jit/sysroot/archive.h"

#include <cstring>

#include "base/error.h"
#include "jit/sysroot/archive_format.h"

extern "C" const char cweb_sysroot_begin[];

namespace cweb::jit {

std::vector<EmbeddedHeader> embedded_headers() {
  const char* begin = cweb_sysroot_begin;
  ArchiveHeader header;
  std::memcpy(&header, begin, sizeof header);
  CWEB_ASSERT(header.magic == archive_magic);

  std::vector<EmbeddedHeader> headers(header.entries);
  for (size_t i = 0; i < headers.size(); ++i) {
    ArchiveEntry entry;
    std::memcpy(&entry, begin + sizeof header + i * sizeof entry, sizeof entry);
    headers[i] = {{begin + entry.path_offset, entry.path_size}, {begin + entry.text_offset, entry.text_size}};
  }
  return headers;
}

}  // namespace cweb::jit
