// The opening handshake (RFC 6455, 4.2): who gets a WebSocket, what is agreed on, and what everybody else is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "deploying.h"
#include "message_deflate.h"
#include "server_process.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

/// /echo is a WebSocket, /both is a WebSocket and a route, /page is a route, /wait one that answers when it is let.
const std::string module_text = fill_in(R"(#include <cweb.h>
#include <unistd.h>

static void echo(struct websocket *ws, const char *message, size_t length) { ws->send(ws, message, length); }

static int page(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "page, websocket %d", req->websocket);
    return 0;
}

static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte;
    if (write(@EVENTS@, "entered\n", 8) != 8 || read(@GATE@, &byte, 1) != 1) return -1;
    return 0;
}

export module_t config = {
    .name = "shaking",
    .routes = {{"/page", "GET", page, NONE}, {"/both", "GET", page, NONE}, {"/wait", "GET", wait_for_gate, NONE}},
    .size = 3,
    .websockets = {{"/echo", NULL, echo, NULL}, {"/both", NULL, echo, NULL}},
    .ws_size = 2,
};
)",
                                        {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

constexpr const char* key_line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr const char* version_line = "Sec-WebSocket-Version: 13\r\n";
constexpr const char* upgrade_line = "Upgrade: websocket\r\n";
constexpr const char* connection_line = "Connection: Upgrade\r\n";

std::string request(const std::string& request_line, const std::vector<std::string>& lines) {
  std::string text = request_line + "\r\nHost: localhost\r\n";
  for (const std::string& line : lines) text += line;
  return text + "\r\n";
}

std::string get_echo(const std::vector<std::string>& lines) {
  return request("GET /echo HTTP/1.1", lines);
}

/// A whole handshake but for its key.
std::string with_key_lines(const std::string& lines) {
  return get_echo({upgrade_line, connection_line, version_line, lines});
}
std::string with_key(const std::string& key) {
  return with_key_lines("Sec-WebSocket-Key: " + key + "\r\n");
}
std::string with_version_lines(const std::string& lines) {
  return get_echo({upgrade_line, connection_line, key_line, lines});
}
std::string with_upgrade_lines(const std::string& lines) {
  return get_echo({lines, connection_line, key_line, version_line});
}
std::string with_connection_lines(const std::string& lines) {
  return get_echo({upgrade_line, lines, key_line, version_line});
}
std::string with_extensions(const std::string& offer) {
  return websocket_handshake("/echo", "Sec-WebSocket-Extensions: " + offer + "\r\n");
}
std::string with_protocols(const std::string& offer) {
  return websocket_handshake("/echo", "Sec-WebSocket-Protocol: " + offer + "\r\n");
}

class WebSocketHandshakeTest : public testing::Test {
 protected:
  WebSocketHandshakeTest() { EXPECT_TRUE(deploy(server_.port(), module_text).deployed()); }

  RawResponse answer_to(const std::string& handshake) { return RawClient(server_.port()).exchange(handshake); }

  /// It is a WebSocket from here on: a message comes back.
  static void expect_echo(RawClient& client) {
    client.send(client_frame({opcode::text}, "hello"));
    const auto frame = read_server_frame(client);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->bytes, server_frame({opcode::text}, "hello"));
  }
  /// HTTP goes on behind a refusal, unless the connection ends there.
  static void expect_http_or_end(RawClient& client, const RawResponse& refusal) {
    if (refusal.header("Connection") == "close") {
      EXPECT_TRUE(client.ends());
    } else {
      EXPECT_EQ(client.exchange(get_request("/page")).status, 200);
    }
  }

  ServerProcess server_;
};

TEST_F(WebSocketHandshakeTest, the_answer_is_what_the_rfc_says_and_nothing_else) {
  RawClient client(server_.port());
  client.send(websocket_handshake("/echo"));
  const std::string expected =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  std::string answer;
  ASSERT_TRUE(client.read_exactly(expected.size(), answer));
  EXPECT_EQ(answer, expected);
  EXPECT_TRUE(client.is_quiet());
  expect_echo(client);
}

struct HandshakeCase {
  const char* name;
  std::string request;
  int status;
};

TEST_F(WebSocketHandshakeTest, each_handshake_is_answered_with_its_status) {
  const std::string browser_lines =
      "User-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\n"
      "Origin: http://localhost:8080\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-Fetch-Dest: empty\r\n"
      "Sec-Fetch-Mode: websocket\r\nSec-Fetch-Site: same-origin\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n";
  const HandshakeCase cases[] = {
      {"as usual", websocket_handshake("/echo"), 101},
      {"as browsers do", websocket_handshake("/echo", browser_lines), 101},
      {"with a query", websocket_handshake("/echo?room=1&name=a%20b"), 101},
      {"with a route of the same path", websocket_handshake("/both"), 101},
      {"with its lines in another order", get_echo({key_line, version_line, connection_line, upgrade_line}), 101},
      {"with names in capitals",
       get_echo({"UPGRADE: websocket\r\n", "CONNECTION: Upgrade\r\n", "SEC-WEBSOCKET-VERSION: 13\r\n",
                 "SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n"}),
       101},
      {"with names in lower case",
       get_echo({"upgrade: websocket\r\n", "connection: Upgrade\r\n", "sec-websocket-version: 13\r\n",
                 "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}),
       101},
      {"with an empty body", websocket_handshake("/echo", "Content-Length: 0\r\n"), 101},

      {"Upgrade in capitals", with_upgrade_lines("Upgrade: WebSocket\r\n"), 101},
      {"Upgrade with others before it", with_upgrade_lines("Upgrade: h2c, websocket\r\n"), 101},
      {"Upgrade in two lines", with_upgrade_lines("Upgrade: h2c\r\nUpgrade: websocket\r\n"), 101},
      {"no Upgrade", with_upgrade_lines(""), 426},
      {"Upgrade to something else", with_upgrade_lines("Upgrade: h2c\r\n"), 426},
      {"Upgrade to what begins like it", with_upgrade_lines("Upgrade: websockets\r\n"), 426},
      {"an empty Upgrade", with_upgrade_lines("Upgrade:\r\n"), 426},

      {"Connection in lower case", with_connection_lines("Connection: upgrade\r\n"), 101},
      {"Connection as Firefox has it", with_connection_lines("Connection: keep-alive, Upgrade\r\n"), 101},
      {"Connection in two lines", with_connection_lines("Connection: keep-alive\r\nConnection: Upgrade\r\n"), 101},
      {"Connection with spaces around its tokens", with_connection_lines("Connection:  keep-alive ,\tUpgrade \r\n"),
       101},
      {"no Connection", with_connection_lines(""), 426},
      {"Connection without Upgrade", with_connection_lines("Connection: keep-alive\r\n"), 426},
      {"Connection with what has it in its name", with_connection_lines("Connection: no-upgrade\r\n"), 426},

      {"a key of other bytes", with_key("AAAAAAAAAAAAAAAAAAAAAA=="), 101},
      {"a key with all kinds of digits", with_key("azAZ09+/azAZ09+/azAZ0w=="), 101},
      {"a key with spaces around it", with_key("  dGhlIHNhbXBsZSBub25jZQ== "), 101},
      {"no key", with_key_lines(""), 400},
      {"an empty key", with_key(""), 400},
      {"two keys", with_key_lines(std::string(key_line) + key_line), 400},
      {"a key of 15 bytes", with_key("AAAAAAAAAAAAAAAAAAAA"), 400},
      {"a key of 17 bytes", with_key("AAAAAAAAAAAAAAAAAAAAAAA="), 400},
      {"a key of 18 bytes", with_key("AAAAAAAAAAAAAAAAAAAAAAAA"), 400},
      {"a key without its padding", with_key("dGhlIHNhbXBsZSBub25jZQ"), 400},
      {"a key that is no base64", with_key("dGhlIHNhbXBsZSB-b25jZQ=="), 400},
      {"a key with a space in it", with_key("dGhlIHNhbXBs SBub25jZQ=="), 400},
      {"a key with padding in its middle", with_key("dGhlIHNhbX==ZSBub25jZQ=="), 400},

      {"no version", with_version_lines(""), 426},
      {"an empty version", with_version_lines("Sec-WebSocket-Version:\r\n"), 426},
      {"version 0", with_version_lines("Sec-WebSocket-Version: 0\r\n"), 426},
      {"version 7", with_version_lines("Sec-WebSocket-Version: 7\r\n"), 426},
      {"version 8", with_version_lines("Sec-WebSocket-Version: 8\r\n"), 426},
      {"version 12", with_version_lines("Sec-WebSocket-Version: 12\r\n"), 426},
      {"version 14", with_version_lines("Sec-WebSocket-Version: 14\r\n"), 426},
      {"version 113", with_version_lines("Sec-WebSocket-Version: 113\r\n"), 426},
      {"version 13 and more", with_version_lines("Sec-WebSocket-Version: 13abc\r\n"), 426},
      {"two versions in one line", with_version_lines("Sec-WebSocket-Version: 13, 8\r\n"), 426},
      {"two versions", with_version_lines("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n"), 400},

      {"a plain GET", get_request("/echo"), 426},
      {"a plain HEAD", request("HEAD /echo HTTP/1.1", {"Connection: close\r\n"}), 426},
      {"a plain POST", request_with_body("POST", "/echo", "body"), 426},
      {"POST",
       request("POST /echo HTTP/1.1", {upgrade_line, connection_line, key_line, version_line, "Content-Length: 0\r\n"}),
       426},
      {"HTTP/1.0", request("GET /echo HTTP/1.0", {upgrade_line, connection_line, key_line, version_line}), 426},
      {"a plain GET of a path that is a route too", get_request("/both"), 200},
      {"HTTP/1.0 to a path that is a route too",
       request("GET /both HTTP/1.0", {upgrade_line, connection_line, key_line, version_line}), 200},
      {"a path that is a route alone", websocket_handshake("/page"), 200},
      {"a path that is nobody's", websocket_handshake("/nobody"), 404},
      {"a path that goes on", websocket_handshake("/echo/"), 404},
      {"a path in capitals", websocket_handshake("/ECHO"), 404},
      {"two Hosts", websocket_handshake("/echo", "Host: elsewhere\r\n"), 400},

      {"a protocol that is no token", with_protocols("chat room"), 400},
      {"a protocol in quotes", with_protocols("\"chat\""), 400},
      {"an extension that is no token", with_extensions("permessage deflate"), 400},
      {"an extension without a name", with_extensions("; server_no_context_takeover"), 400},
      {"an extension with an open quote", with_extensions("permessage-deflate; server_max_window_bits=\"10"), 400},
  };
  for (const HandshakeCase& wanted : cases) {
    SCOPED_TRACE(wanted.name);
    RawClient client(server_.port());
    client.send(wanted.request);
    const RawResponse answer = client.read_response(/*no_body=*/wanted.request.starts_with("HEAD"));
    EXPECT_EQ(answer.status, wanted.status) << answer.body;
    if (answer.status == 101) {
      expect_echo(client);
    } else {
      EXPECT_FALSE(answer.has_header("Sec-WebSocket-Accept"));
      expect_http_or_end(client, answer);
    }
  }
}

TEST_F(WebSocketHandshakeTest, another_version_is_told_the_right_one) {
  for (const char* version : {"0", "8", "14", "13, 8"}) {
    const RawResponse answer = answer_to(with_version_lines("Sec-WebSocket-Version: " + std::string(version) + "\r\n"));
    EXPECT_EQ(answer.status, 426);
    EXPECT_EQ(answer.header("Sec-WebSocket-Version"), "13") << version;
    EXPECT_THAT(answer.body, HasSubstr("13"));
  }
}

TEST_F(WebSocketHandshakeTest, a_plain_request_is_told_what_the_path_is) {
  const RawResponse answer = answer_to(get_request("/echo"));
  EXPECT_EQ(answer.status, 426);
  EXPECT_EQ(answer.header("Upgrade"), "websocket");
  EXPECT_THAT(answer.header("Connection"), HasSubstr("Upgrade"));
  EXPECT_THAT(answer.body, HasSubstr("WebSocket"));
}

TEST_F(WebSocketHandshakeTest, the_first_protocol_that_is_offered_is_agreed_on) {
  EXPECT_FALSE(answer_to(websocket_handshake("/echo")).has_header("Sec-WebSocket-Protocol"));
  EXPECT_EQ(answer_to(with_protocols("chat")).header("Sec-WebSocket-Protocol"), "chat");
  EXPECT_EQ(answer_to(with_protocols("chat.v2, chat.v1")).header("Sec-WebSocket-Protocol"), "chat.v2");
  const std::string two_lines = "Sec-WebSocket-Protocol: first\r\nSec-WebSocket-Protocol: second\r\n";
  EXPECT_EQ(answer_to(websocket_handshake("/echo", two_lines)).header("Sec-WebSocket-Protocol"), "first");
}

TEST_F(WebSocketHandshakeTest, permessage_deflate_is_agreed_on_where_its_parameters_can_be_met) {
  const std::string agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  struct Offer {
    const char* offer;
    std::string answer;
  };
  const Offer offers[] = {
      {"permessage-deflate", agreed},
      {"permessage-deflate; client_max_window_bits", agreed},
      {"permessage-deflate; client_max_window_bits=10", agreed},
      {"permessage-deflate; client_max_window_bits=8", agreed},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", agreed},
      {"permessage-deflate;client_no_context_takeover;server_no_context_takeover", agreed},
      {"permessage-deflate; server_max_window_bits=15", agreed + "; server_max_window_bits=15"},
      {"permessage-deflate; server_max_window_bits=9", agreed + "; server_max_window_bits=9"},
      {"permessage-deflate; server_max_window_bits=\"12\"", agreed + "; server_max_window_bits=12"},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", agreed},
      {"x-unknown, permessage-deflate", agreed},
      {"x-unknown; level=3, permessage-deflate; client_max_window_bits, permessage-deflate", agreed},
      {"permessage-deflate; x-unknown, permessage-deflate; server_max_window_bits=11",
       agreed + "; server_max_window_bits=11"},
      // What cannot be met is declined, and the connection is one without compression (RFC 7692, 7.1).
      {"permessage-deflate; server_max_window_bits=8", ""},
      {"permessage-deflate; server_max_window_bits=7", ""},
      {"permessage-deflate; server_max_window_bits=16", ""},
      {"permessage-deflate; server_max_window_bits=010", ""},
      {"permessage-deflate; server_max_window_bits=ten", ""},
      {"permessage-deflate; server_max_window_bits", ""},
      {"permessage-deflate; client_max_window_bits=7", ""},
      {"permessage-deflate; client_max_window_bits=16", ""},
      {"permessage-deflate; server_no_context_takeover=1", ""},
      {"permessage-deflate; client_no_context_takeover=true", ""},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""},
      {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=11", ""},
      {"permessage-deflate; x-unknown", ""},
      {"x-webkit-deflate-frame", ""},
      {"permessage-bzip2", ""},
  };
  for (const auto& [offer, expected] : offers) {
    SCOPED_TRACE(offer);
    RawClient client(server_.port());
    const RawResponse answer = client.exchange(with_extensions(offer));
    EXPECT_EQ(answer.status, 101);
    EXPECT_EQ(answer.header("Sec-WebSocket-Extensions"), expected);
    client.send(client_frame({.opcode = opcode::text, .rsv = rsv1}, deflated("hello")));
    const auto frame = read_server_frame(client);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->close_code(), expected.empty() ? 1002 : -1) << "RSV1 is for those who agreed on it";
  }
}

TEST_F(WebSocketHandshakeTest, an_offer_in_the_second_line_counts_as_well) {
  const std::string lines = "Sec-WebSocket-Extensions: x-unknown\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
  const RawResponse answer = answer_to(websocket_handshake("/echo", lines));
  EXPECT_THAT(answer.header("Sec-WebSocket-Extensions"), testing::StartsWith("permessage-deflate"));
}

TEST_F(WebSocketHandshakeTest, what_is_sent_looks_back_no_further_than_the_client_can) {
  // It repeats itself after 5000 bytes: a window of 32 KiB makes much of that, one of 512 bytes cannot.
  std::string block;
  for (uint32_t i = 0, state = 1; i < 5000; ++i, state = state * 1664525 + 1013904223) {
    block += static_cast<char>('a' + (state >> 24) % 26);
  }
  const std::string message = block + block + block + block;
  size_t packed_bytes[2] = {};
  for (const int window_bits : {9, 15}) {
    WebSocketClient client(
        server_.port(), "/echo",
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=" + std::to_string(window_bits) + "\r\n");
    client.send_text(message);
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->bits.rsv, rsv1) << "a message like this is worth it";
    EXPECT_EQ(inflated(frame->payload(), window_bits), message);
    packed_bytes[window_bits == 15] = frame->payload().size();
  }
  EXPECT_LT(packed_bytes[1], block.size()) << "the full window is used";
  EXPECT_GT(packed_bytes[0], 2 * packed_bytes[1]);
}

TEST_F(WebSocketHandshakeTest, a_handshake_behind_requests_on_the_same_connection_comes_after_their_answers) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(get_request("/page") + get_request("/nobody") + websocket_handshake("/echo") +
                          client_frame({opcode::text}, "at once")));
  EXPECT_EQ(client.read_response().body, "page, websocket 0");
  EXPECT_EQ(client.read_response().status, 404);
  EXPECT_EQ(client.read_response().status, 101);
  const auto frame = read_server_frame(client);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->bytes, server_frame({opcode::text}, "at once"));
}

TEST_F(WebSocketHandshakeTest, a_handshake_behind_a_handler_that_waits_comes_after_its_answer) {
  RawClient client(server_.port());
  ASSERT_TRUE(
      client.send(get_request("/wait") + websocket_handshake("/echo") + client_frame({opcode::text}, "behind")));
  ASSERT_EQ(server_.next_event(), "entered");
  EXPECT_TRUE(client.is_quiet());
  server_.open_gate();
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_EQ(client.read_response().status, 101);
  const auto frame = read_server_frame(client);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->bytes, server_frame({opcode::text}, "behind"));
}

TEST_F(WebSocketHandshakeTest, it_may_come_byte_by_byte) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send_in_segments(websocket_handshake("/echo"), 1));
  EXPECT_EQ(client.read_response().status, 101);
  expect_echo(client);
}

TEST_F(WebSocketHandshakeTest, a_route_is_told_that_a_websocket_was_asked_for_and_http_goes_on) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(websocket_handshake("/page") + get_request("/page")));
  EXPECT_EQ(client.read_response().body, "page, websocket 1");
  EXPECT_EQ(client.read_response().body, "page, websocket 0");
}

TEST_F(WebSocketHandshakeTest, what_comes_behind_a_refusal_is_a_request_and_no_frame) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(with_key("none") + get_request("/page")));
  EXPECT_EQ(client.read_response().status, 400);
  EXPECT_EQ(client.read_response().body, "page, websocket 0");
}

}  // namespace
}  // namespace cweb::e2e
