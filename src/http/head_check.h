// What llhttp lets through and two servers could read differently (RFC 9112): refused here, over the raw bytes.
#pragma once

#include <string_view>

namespace cweb::http {

/// `head` is a request's head from the method up to and with the empty line. Null when it is clean, else what is wrong
/// with it, for the 400's text.
const char* head_fault(std::string_view head);

}  // namespace cweb::http
