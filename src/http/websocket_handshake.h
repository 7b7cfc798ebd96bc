// The opening handshake of RFC 6455, 4.2, of a request that was read whole, and the negotiation of RFC 7692.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http/request_reader.h"

namespace cweb::http {

/// Does the request ask to go on as WebSocket: GET, HTTP/1.1, "websocket" among the tokens of Upgrade and "upgrade"
/// among those of Connection? Everything else of a handshake is agree_on_websocket()'s.
bool asks_for_websocket(const RequestReader& reader);

/// What the two sides go on with.
struct WebSocketAgreement {
  std::string accept;            ///< Sec-WebSocket-Accept
  std::string protocol;          ///< the subprotocol: the first that the client offered; empty when it offered none
  bool deflate = false;          ///< permessage-deflate, without context takeover in both directions
  int deflate_window_bits = 15;  ///< 9 to 15, of what the server sends
  bool answers_server_window = false;  ///< the client's offer named server_max_window_bits
};

struct HandshakeRefusal {
  int status;  ///< 400 or 426
  const char* sentence;
  const char* headers;  ///< further header lines, each with CR LF: what is spoken here, for another version
};

/// For a request that asks_for_websocket(). `offer_deflate` false declines every extension.
std::expected<WebSocketAgreement, HandshakeRefusal> agree_on_websocket(const RequestReader& reader, bool offer_deflate);

/// The whole 101, with the empty line behind it.
void append_switching_protocols(std::string& out, const WebSocketAgreement& agreement);

}  // namespace cweb::http
