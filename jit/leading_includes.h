// The leading #include block of a module, brought to one form: two modules that include the same headers in the same
// order share one precompiled preamble, whatever their comments say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cweb::jit {

/// The #include lines of `preamble`, one a line and nothing else. Nothing when it holds anything but #include lines,
/// comments and white space, or no #include at all: then its text counts byte by byte.
std::optional<std::string> canonical_includes(std::string_view preamble);

}  // namespace cweb::jit
