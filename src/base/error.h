// Errors that can happen are values; errors that are our own bug are CWEB_ASSERT, which stays on in release.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace cweb {

/// A failure told in one sentence for a person: what object, what was got, what was expected, what to do.
struct Error {
  std::string message;
};

template <class T>
using Expected = std::expected<T, Error>;

/// `return fail("...")` from any function that returns an Expected.
inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected<Error>(Error{std::move(message)});
}

/// Prints what was broken and aborts. For CWEB_ASSERT only.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace cweb

/// An invariant of ours: when it does not hold, going on would corrupt somebody's data.
#define CWEB_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::cweb::assertion_failed(#expression, __FILE__, __LINE__))
