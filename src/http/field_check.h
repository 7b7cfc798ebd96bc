// What the lines of a head say together: whom the request is for and where it ends. Refused is what leaves that open,
// however well formed each line is.
#pragma once

#include <optional>

#include "http/rejection.h"
#include "http/request_reader.h"

namespace cweb::http {

/// Of a reader whose head is complete and clean (head_check), with the target as it was sent. Empty when the request
/// can be read on.
std::optional<Rejection> field_fault(const RequestReader& reader);

/// Is this a host with or without a port, as a Host header has it (RFC 9110, 7.2)? Empty is one.
bool is_host(std::string_view text);

}  // namespace cweb::http
