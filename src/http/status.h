// Status codes and their reason phrases (RFC 9110, section 15).
#pragma once

#include <string_view>

namespace cweb::http {

/// The reason phrase, or "Unknown" for a code that RFC 9110 and its companions do not name.
std::string_view reason_phrase(int status);

/// Answers that never have content: 1xx, 204 and 304.
constexpr bool forbids_content(int status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace cweb::http
