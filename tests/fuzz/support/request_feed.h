// A request reader that is fed as a connection feeds it, and what came out of it.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request_reader.h"

namespace cweb::fuzz {

/// Puts all of `bytes` into the reader's buffer, in as many reads as it makes room for.
inline void feed(http::RequestReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    const size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    reader.committed(count);
    bytes.remove_prefix(count);
  }
}

using Headers = std::vector<std::pair<std::string, std::string>>;

inline Headers headers_of(const http::RequestReader& reader) {
  Headers headers;
  for (const http::HeaderPiece& header : reader.headers()) {
    headers.emplace_back(reader.view(header.name), reader.view(header.value));
  }
  return headers;
}

}  // namespace cweb::fuzz
