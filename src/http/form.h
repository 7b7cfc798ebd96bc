// The bodies that HTML forms send: percent-decoding, application/x-www-form-urlencoded, multipart/form-data. Pure
// functions over text in memory, on any thread; no socket, no header parsing beyond Content-Type, belongs here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace cweb::http {

/// More fields than this are an error: a small body must not become a million strings.
inline constexpr size_t max_form_fields = 1'000;

/// What '+' stands for: a space in forms and queries, itself in paths.
enum class Plus { is_space, is_plus };

/// Decodes `length` bytes where they lie and returns the new length. A '%' without two hex digits stays as it is.
size_t percent_decode_in_place(char* text, size_t length, Plus plus = Plus::is_space);

std::string percent_decode(std::string_view text, Plus plus = Plus::is_space);

/// One field of a form. Values may hold any bytes.
struct FormField {
  std::string name;
  std::string filename;      ///< empty when none was given; multipart only
  std::string content_type;  ///< as sent; empty when none was given; multipart only
  std::string value;
};

/// "type/subtype" of a Content-Type value, in lower case, without parameters.
std::string media_type(std::string_view content_type);

/// The value of one parameter of a header like Content-Type or Content-Disposition, unquoted; false when it is not
/// there. `name` is given in lower case.
bool header_parameter(std::string_view header, std::string_view name, std::string& value);

/// Fields in their order, names and values decoded; also right for a query string. A name without '=' has an empty
/// value.
Expected<std::vector<std::pair<std::string, std::string>>> parse_urlencoded(std::string_view body);

/// Fields in their order. `content_type` is the header's value: the boundary is read from it (RFC 2046 5.1.1, RFC
/// 7578). What stands before the first and behind the last boundary is ignored.
Expected<std::vector<FormField>> parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace cweb::http
