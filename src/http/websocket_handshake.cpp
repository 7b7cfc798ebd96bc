#include "http/websocket_handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/error.h"
#include "http/websocket_extensions.h"

namespace cweb::http {
namespace {

using Refused = std::unexpected<HandshakeRefusal>;

Refused malformed(const char* sentence) {
  return Refused({400, sentence, ""});
}

/// Calls `look(value)` for each header of this name, until it returns false.
template <class Look>
void for_each_value(const RequestReader& reader, std::string_view name, Look look) {
  for (const HeaderPiece& header : reader.headers()) {
    // The length first: it tells most headers apart.
    if (header.name.length != name.size() || !same_ignoring_case(reader.view(header.name), name)) continue;
    if (!look(reader.view(header.value))) return;
  }
}

/// Is it among the tokens of a list that may be spread over several headers?
bool has_token(const RequestReader& reader, std::string_view name, std::string_view token) {
  bool found = false;
  for_each_value(reader, name, [&](std::string_view list) {
    while (!list.empty() && !found) found = same_ignoring_case(next_element(list), token);
    return !found;
  });
  return found;
}

struct OnlyValue {
  int count = 0;
  std::string_view value;  ///< of the first
};

OnlyValue only_value(const RequestReader& reader, std::string_view name) {
  OnlyValue only;
  for_each_value(reader, name, [&](std::string_view value) {
    if (only.count++ == 0) only.value = value;
    return true;
  });
  return only;
}

bool is_base64_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
}

/// 16 bytes in base64: 22 digits and the padding (RFC 6455, 4.2.1).
bool is_key(std::string_view key) {
  constexpr size_t digits = 22;
  constexpr std::string_view padding = "==";
  return key.size() == digits + padding.size() && key.ends_with(padding) &&
         std::ranges::all_of(key.substr(0, digits), is_base64_digit);
}

/// Sec-WebSocket-Accept for a key (RFC 6455, 4.2.2).
std::string accept_for(std::string_view key) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const std::string text = std::string(key).append(guid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  CWEB_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
  std::array<unsigned char, (SHA_DIGEST_LENGTH + 2) / 3 * 4 + 1> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<size_t>(length)};
}

/// The version first: what another version's handshake consists of is not known here.
std::expected<std::string_view, HandshakeRefusal> read_key(const RequestReader& reader) {
  const OnlyValue version = only_value(reader, "sec-websocket-version");
  if (version.count > 1) return malformed("a WebSocket handshake must have one Sec-WebSocket-Version header");
  if (version.value != "13") {
    return Refused({426, "the only WebSocket version that is spoken here is 13",
                    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"});
  }
  const OnlyValue key = only_value(reader, "sec-websocket-key");
  if (key.count != 1) return malformed("a WebSocket handshake must have one Sec-WebSocket-Key header");
  if (!is_key(key.value)) return malformed("Sec-WebSocket-Key must be 16 bytes in base64");
  return key.value;
}

/// The first subprotocol that is offered; empty when none is.
std::expected<std::string_view, HandshakeRefusal> read_protocol(const RequestReader& reader) {
  std::string_view first;
  bool all_tokens = true;
  for_each_value(reader, "sec-websocket-protocol", [&](std::string_view list) {
    bool is_empty = true;
    while (!list.empty() && all_tokens) {
      const std::string_view protocol = next_element(list);
      if (protocol.empty()) continue;
      is_empty = false;
      all_tokens = is_token(protocol);
      if (first.empty()) first = protocol;
    }
    all_tokens = all_tokens && !is_empty;
    return all_tokens;
  });
  if (!all_tokens) return malformed("Sec-WebSocket-Protocol must be a list of tokens");
  return first;
}

/// The first offer of permessage-deflate that can be met; nothing when there is none.
std::expected<std::optional<DeflateOffer>, HandshakeRefusal> read_extensions(const RequestReader& reader) {
  std::optional<DeflateOffer> taken;
  bool well_formed = true;
  for_each_value(reader, "sec-websocket-extensions", [&](std::string_view list) {
    well_formed = read_extension_offers(list, [&](const ExtensionOffer& offer) {
      if (!taken) taken = deflate_offer(offer);
    });
    return well_formed;
  });
  if (!well_formed) return malformed("Sec-WebSocket-Extensions must be a list of extensions with their parameters");
  return taken;
}

}  // namespace

bool asks_for_websocket(const RequestReader& reader) {
  return reader.minor_version() == 1 && reader.method() == "GET" && has_token(reader, "upgrade", "websocket") &&
         has_token(reader, "connection", "upgrade");
}

std::expected<WebSocketAgreement, HandshakeRefusal> agree_on_websocket(const RequestReader& reader,
                                                                       bool offer_deflate) {
  const auto key = read_key(reader);
  if (!key) return std::unexpected(key.error());
  const auto protocol = read_protocol(reader);
  if (!protocol) return std::unexpected(protocol.error());
  const auto deflate = read_extensions(reader);
  if (!deflate) return std::unexpected(deflate.error());

  WebSocketAgreement agreement{.accept = accept_for(*key), .protocol = std::string(*protocol)};
  if (offer_deflate && deflate->has_value()) {
    agreement.deflate = true;
    agreement.answers_server_window = (*deflate)->server_window_bits.has_value();
    agreement.deflate_window_bits = (*deflate)->server_window_bits.value_or(agreement.deflate_window_bits);
  }
  return agreement;
}

void append_switching_protocols(std::string& out, const WebSocketAgreement& agreement) {
  out.append(
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ");
  out.append(agreement.accept).append("\r\n");
  if (!agreement.protocol.empty()) out.append("Sec-WebSocket-Protocol: ").append(agreement.protocol).append("\r\n");
  if (agreement.deflate) {
    out.append("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    if (agreement.answers_server_window) {
      out.append("; server_max_window_bits=").append(std::to_string(agreement.deflate_window_bits));
    }
    out.append("\r\n");
  }
  out.append("\r\n");
}

}  // namespace cweb::http
