// SHA-256, by which sources, versions and cache entries are told apart. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace cweb::store {

/// 64 hexadecimal digits, in lower case.
std::string sha256_hex(std::string_view text);

}  // namespace cweb::store
