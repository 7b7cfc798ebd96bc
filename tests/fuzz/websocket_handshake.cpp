// The headers of a WebSocket handshake: what is answered follows from what was asked, and is a well-formed answer. The
// input is header lines; `x` as the first byte puts those of a sound handshake before the rest of it.
#include "http/websocket_handshake.h"

#include <algorithm>

#include "base/error.h"
#include "fuzz/support/input.h"
#include "fuzz/support/request_feed.h"

namespace {

using namespace cweb;
using fuzz::Headers;

constexpr std::string_view separators = "()<>@,;:\\\"/[]?={} \t";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

/// The values of all headers of a name, with a comma behind each.
std::string values(const Headers& headers, std::string_view name) {
  std::string joined;
  for (const auto& [header, value] : headers) {
    if (lower(header) == name) joined.append(value).append(",");
  }
  return joined;
}

/// Is it an element of the list, whatever its case?
bool lists(const std::string& list, std::string_view wanted) {
  for (size_t at = 0; at < list.size();) {
    const size_t comma = list.find(',', at);
    std::string_view element = std::string_view(list).substr(at, comma - at);
    while (element.starts_with(' ') || element.starts_with('\t')) element.remove_prefix(1);
    while (element.ends_with(' ') || element.ends_with('\t')) element.remove_suffix(1);
    if (lower(element) == wanted) return true;
    at = comma + 1;
  }
  return false;
}

void check_refusal(const http::HandshakeRefusal& refusal, const Headers& headers) {
  CWEB_ASSERT(refusal.status == 400 || refusal.status == 426);
  CWEB_ASSERT(refusal.sentence != nullptr && *refusal.sentence != '\0' && refusal.headers != nullptr);
  const bool names_version = std::string_view(refusal.headers) == "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  CWEB_ASSERT(names_version == (refusal.status == 426));
  if (refusal.status == 426) CWEB_ASSERT(values(headers, "sec-websocket-version") != "13,");
}

void check_agreement(const http::WebSocketAgreement& agreement, const Headers& headers) {
  CWEB_ASSERT(values(headers, "sec-websocket-version") == "13,");
  const std::string key = values(headers, "sec-websocket-key");
  CWEB_ASSERT(key.size() == 25 && key.ends_with("==,"));
  CWEB_ASSERT(agreement.accept.size() == 28 && agreement.accept.ends_with('='));

  const std::string protocols = values(headers, "sec-websocket-protocol");
  CWEB_ASSERT(agreement.protocol.empty() == protocols.empty());
  CWEB_ASSERT(agreement.protocol.find_first_of(separators) == std::string::npos);
  if (!protocols.empty()) CWEB_ASSERT(lists(protocols, lower(agreement.protocol)));

  const std::string extensions = values(headers, "sec-websocket-extensions");
  CWEB_ASSERT(agreement.deflate_window_bits >= 9 && agreement.deflate_window_bits <= 15);
  if (agreement.deflate) CWEB_ASSERT(extensions.find("permessage-deflate") != extensions.npos);
  if (agreement.answers_server_window) {
    CWEB_ASSERT(agreement.deflate && extensions.find("server_max_window_bits") != extensions.npos);
  } else {
    CWEB_ASSERT(agreement.deflate_window_bits == 15);
  }
}

void check_answer(const http::WebSocketAgreement& agreement) {
  std::string answer;
  http::append_switching_protocols(answer, agreement);
  CWEB_ASSERT(answer.starts_with("HTTP/1.1 101 ") && answer.find("\r\n\r\n") == answer.size() - 4);
  const size_t lines = 5U + (agreement.protocol.empty() ? 0 : 1) + (agreement.deflate ? 1 : 0);
  CWEB_ASSERT(static_cast<size_t>(std::ranges::count(answer, '\n')) == lines);
  CWEB_ASSERT(std::ranges::count(answer, '\r') == std::ranges::count(answer, '\n'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view lines = fuzz::Input(data, size).rest();
  std::string sent = "GET / HTTP/1.1\r\nHost: h\r\n";
  if (lines.starts_with('x')) {
    lines.remove_prefix(1);
    sent +=
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  }
  sent.append(lines).append("\r\n\r\n");
  http::RequestReader reader(http::RequestLimits{});
  fuzz::feed(reader, sent);
  if (reader.advance() != http::RequestReader::Step::head) return 0;
  const Headers headers = fuzz::headers_of(reader);
  const bool should_ask =
      lists(values(headers, "upgrade"), "websocket") && lists(values(headers, "connection"), "upgrade");
  CWEB_ASSERT(http::asks_for_websocket(reader) == should_ask);
  for (const bool offer_deflate : {true, false}) {
    const auto agreement = http::agree_on_websocket(reader, offer_deflate);
    if (!agreement) {
      check_refusal(agreement.error(), headers);
      continue;
    }
    CWEB_ASSERT(offer_deflate || !agreement->deflate);
    check_agreement(*agreement, headers);
    check_answer(*agreement);
  }
  return 0;
}
