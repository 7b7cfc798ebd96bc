// Letters as protocols mean them: ASCII alone, whatever the locale.
#pragma once

#include <cstddef>
#include <string_view>

namespace cweb {

inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Do they differ in nothing but the case of letters? For short texts such as a header's name.
inline bool same_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && ascii_lower(left[i]) != ascii_lower(right[i])) return false;
  }
  return true;
}

}  // namespace cweb
