// What llhttp lets through and two servers could read differently (RFC 9112): refused here, over the raw bytes.
#pragma once

#include <string_view>

namespace cweb::http {

/// `head` is a request's head from the method up to and with the empty line. Null when every line of it is well formed,
/// else what is wrong, for the 400's text. What the lines mean is field_check's.
const char* head_fault(std::string_view head);

/// Is this a well formed request line alone, with its CR LF?
bool is_request_line(std::string_view line);

}  // namespace cweb::http
