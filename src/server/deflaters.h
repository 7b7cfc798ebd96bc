// Compressing what is sent, on whatever thread sends: compressors are large, so there are as many as are in use at a
// time.
#pragma once

#include <string>
#include <string_view>

namespace cweb::server {

/// The payload of a compressed frame for this message. Any thread.
std::string deflate(std::string_view message, int window_bits);

}  // namespace cweb::server
