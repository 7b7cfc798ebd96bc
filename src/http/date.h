// The Date header's value.
#pragma once

#include <string_view>

namespace cweb::http {

/// Now as an IMF-fixdate (RFC 9110, 5.6.7), "Mon, 23 Nov 2026 09:00:00 GMT". Made once a second a thread; valid until
/// the thread's next call.
std::string_view date_now();

}  // namespace cweb::http
