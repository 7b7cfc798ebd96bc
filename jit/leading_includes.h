// The leading #include block of a module, brought to one form: two modules that include the same headers in the same
// order share one precompiled preamble, whatever their comments say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cweb::jit {

struct CanonicalIncludes {
  std::string text;             ///< one #include a line and nothing else
  std::vector<unsigned> lines;  ///< where each of them stands in the source, counted from 1
};

/// Nothing when `preamble` holds anything but #include lines, comments and white space, or no #include at all: then its
/// text counts byte by byte.
std::optional<CanonicalIncludes> canonical_includes(std::string_view preamble);

/// Does every #if of `preamble` end in it? One that stays open is Clang's to complain about, in terms of the whole
/// source.
bool conditions_are_closed(std::string_view preamble);

}  // namespace cweb::jit
