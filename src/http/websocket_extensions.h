// The lists of a WebSocket handshake: tokens, extensions with their parameters (RFC 6455, 9.1), and what an offer of
// permessage-deflate asks for (RFC 7692, 7.1). Pure functions over header values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cweb::http {

/// Takes the first element, without the blanks around it, and its comma off a comma-separated list of tokens. Empty
/// elements are an element, too.
std::string_view next_element(std::string_view& list);

bool is_token(std::string_view text);

struct ExtensionParameter {
  std::string_view name;
  std::optional<std::string> value;  ///< unquoted
};

struct ExtensionOffer {
  std::string_view name;
  std::vector<ExtensionParameter> parameters;
};

/// Calls `look` for each extension of one Sec-WebSocket-Extensions header. False when it is not well formed.
bool read_extension_offers(std::string_view header, const std::function<void(const ExtensionOffer&)>& look);

/// What a server that takes no context over has to know of an offer.
struct DeflateOffer {
  std::optional<int> server_window_bits;  ///< 9 to 15: what the client can inflate
};

/// Nothing when this is not permessage-deflate, or cannot be met: an unknown parameter, one that is there twice, a
/// wrong value, or a window of 8 bits, which zlib cannot do.
std::optional<DeflateOffer> deflate_offer(const ExtensionOffer& offer);

}  // namespace cweb::http
