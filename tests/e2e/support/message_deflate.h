// What permessage-deflate (RFC 7692) makes of a message, as a client sees it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cweb::e2e {

/// The payload of a compressed message.
std::string deflated(std::string_view message);
/// The payload of `message` when the compressor has just done `before` and still refers to it, which a client must not
/// do that agreed to client_no_context_takeover.
std::string deflated_behind(std::string_view before, std::string_view message);
/// The message of a compressed payload; nothing when it is none. `window_bits`, 9 to 15, is all that the sender may
/// look back.
std::optional<std::string> inflated(std::string_view payload, int window_bits = 15);

}  // namespace cweb::e2e
