// What the read key opens: the calls under /mgnt that tell how the server is, and none that changes what is served or
// shows a source. Pure.
#pragma once

#include <string_view>

namespace cweb::mgnt {

/// `path` is without the query. A list of what may, so that a call that is added later may not until it is added here.
bool is_open_to_readers(std::string_view method, std::string_view path);

}  // namespace cweb::mgnt
