// The headers that are linked into the binary, as plain strings: no file system, no LLVM type.
#pragma once

#include <string_view>
#include <vector>

namespace cweb::jit {

/// Both point into the binary's read-only data; `text` is followed by a NUL.
struct EmbeddedHeader {
  std::string_view path;
  std::string_view text;
};

/// All of them, sorted by path.
std::vector<EmbeddedHeader> embedded_headers();

}  // namespace cweb::jit
