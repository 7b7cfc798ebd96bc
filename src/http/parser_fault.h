// llhttp's errors in words for the peer that caused them.
#pragma once

#include <string_view>

#include "http/rejection.h"

namespace cweb::http {

inline constexpr Rejection wrong_version{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};

/// `error` is an llhttp_errno of a request that does not parse, `reason` llhttp's own words, and `request` what has
/// arrived of it.
Rejection parser_fault(int error, std::string_view reason, std::string_view request);

}  // namespace cweb::http
