// What a module sees of its sockets, and what it can do with them: the WebSocket part of cweb.h, function by function.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "deploying.h"
#include "message_deflate.h"
#include "pace.h"
#include "server_process.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;

/// Does what its messages tell it to, and writes a line for each socket that comes or goes.
const std::string obeying_module = fill_in(R"(#include <cweb.h>

static const char *or_none(const char *text) { return text ? text : "none"; }

static void on_open(struct websocket *ws) {
    struct http_request *req = cweb_ws_request(ws);
    dprintf(@EVENTS@, "open %s, room %s, again %s, tag %s, protocol %s\n", req->path, or_none(cweb_ws_param(ws, "room")),
            or_none(map_get(req->params, "room")), or_none(map_get(req->headers, "x-tag")), cweb_ws_protocol(ws));
}

static void on_close(struct websocket *ws) {
    const char *data = cweb_ws_get_data(ws);
    dprintf(@EVENTS@, "closed %s, send %d\n", or_none(data), ws->send(ws, "late", 4));
}

static void answer(struct websocket *ws, const char *text) { ws->send(ws, text, strlen(text)); }

static void describe(struct websocket *ws) {
    char text[200];
    snprintf(text, sizeof text, "%s, room %s, protocol %s, %s", cweb_ws_path(ws), or_none(cweb_ws_param(ws, "room")),
             cweb_ws_protocol(ws), cweb_ws_request(ws) ? "a request" : "no request");
    answer(ws, text);
}

/* "close CODE REASON", with what comes of it as an event; then of one more send. */
static void close_with(struct websocket *ws, const char *message) {
    int end = 0, code = 0;
    sscanf(message, "close %d %n", &code, &end);
    int result = cweb_ws_close(ws, code, end ? message + end : NULL);
    dprintf(@EVENTS@, "close %d\n", result);
    dprintf(@EVENTS@, "send %d\n", ws->send(ws, "behind", 6));
}

static void on_message(struct websocket *ws, const char *message, size_t length) {
    if (cweb_ws_is_binary(ws)) {
        cweb_ws_send_binary(ws, message, length);
    } else if (!strcmp(message, "describe")) {
        describe(ws);
    } else if (!strncmp(message, "set ", 4)) {
        free(cweb_ws_get_data(ws));
        cweb_ws_set_data(ws, strdup(message + 4));
    } else if (!strcmp(message, "get")) {
        answer(ws, or_none(cweb_ws_get_data(ws)));
    } else if (!strcmp(message, "close")) {
        dprintf(@EVENTS@, "close %d\n", ws->close(ws));
        dprintf(@EVENTS@, "send %d\n", ws->send(ws, "behind", 6));
    } else if (!strncmp(message, "close ", 6)) {
        close_with(ws, message);
    } else if (!strcmp(message, "number")) {
        char text[20];
        snprintf(text, sizeof text, "%d", ws->client_fd);
        answer(ws, text);
    } else {
        ws->send(ws, message, length);
    }
}

/* The length, what strlen says, and the byte behind the message. */
static void measure(struct websocket *ws, const char *message, size_t length) {
    char text[80];
    snprintf(text, sizeof text, "%zu %zu %d", length, strlen(message), message[length]);
    answer(ws, text);
}

static void tell_code(struct websocket *ws) { dprintf(@EVENTS@, "code %d\n", cweb_ws_close_code(ws)); }

static void quiet(struct websocket *ws, const char *message, size_t length) {}

/* The sockets of /obey, and one message to each, by the three ways that there are. */
static int tell_all(struct http_request *req, struct http_response *res) {
    const char *text = or_none(map_get(req->params, "text"));
    int walked = 0, data = 0;
    for (struct websocket *ws = cweb_ws_next("/obey", NULL); ws; ws = cweb_ws_next("/obey", ws)) {
        char numbered[80];
        snprintf(numbered, sizeof numbered, "%d %s", ++walked, text);
        data += ws->send(ws, numbered, strlen(numbered));
    }
    int texts = cweb_ws_broadcast("/obey", text, strlen(text));
    int binaries = cweb_ws_broadcast_binary("/obey", "\xff\x00\xfe", 3);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d walked, %d failed, %d texts, %d binaries, %d counted", walked, -data, texts,
             binaries, cweb_ws_count("/obey"));
    return 0;
}

static int ask_for_nothing(struct http_request *req, struct http_response *res) {
    struct websocket *none = NULL;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d %d %d %d %d %d %d %s", cweb_ws_broadcast("/nobody", "x", 1),
             cweb_ws_broadcast(NULL, "x", 1), cweb_ws_broadcast("/obey", NULL, 1), cweb_ws_count("/nobody"),
             cweb_ws_send_binary(none, "x", 1), cweb_ws_close(none, 1000, NULL), cweb_ws_is_binary(none),
             cweb_ws_next("/nobody", NULL) || cweb_ws_get_data(none) || cweb_ws_request(none) ? "something" : "nothing");
    return 0;
}

export module_t config = {
    .name = "obeying",
    .routes = {{"/tell-all", "GET", tell_all, NONE}, {"/ask-for-nothing", "GET", ask_for_nothing, NONE}},
    .size = 2,
    .websockets = {{"/obey", on_open, on_message, on_close}, {"/measure", NULL, measure, NULL},
                   {"/quiet", NULL, quiet, NULL}, {"/deaf", NULL, NULL, NULL}, {"/code", NULL, NULL, tell_code}},
    .ws_size = 5,
};
)",
                                           {{"EVENTS", std::to_string(events_fd)}});

class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest() {
    const DeployAnswer answer = deploy(server_.port(), obeying_module);
    EXPECT_TRUE(answer.deployed()) << answer;
  }
  WebSocketClient open(const std::string& path, const std::string& header_lines = "") {
    return WebSocketClient(server_.port(), path, header_lines);
  }
  /// One on /obey whose on_open has returned.
  WebSocketClient open_obeying() {
    WebSocketClient client = open("/obey");
    EXPECT_EQ(server_.next_event(), "open /obey, room none, again none, tag none, protocol ");
    return client;
  }
  std::string answer_to(const std::string& path) { return RawClient(server_.port()).exchange(get_request(path)).body; }

  ServerProcess server_;
};

TEST_F(WebSocketTest, the_documented_echo_sends_back_what_it_gets) {
  ASSERT_TRUE(deploy(server_.port(), read_project_file("modules/echo.c")).deployed());
  WebSocketClient client = open("/echo");
  EXPECT_EQ(client.exchange("hello"), "hello");
  EXPECT_EQ(client.exchange(""), "");
  EXPECT_EQ(client.exchange("a %s and a %n"), "a %s and a %n");
  client.send_binary("\xff");
  EXPECT_EQ(client.read_binary(), "\xff");
  EXPECT_EQ(client.close().code, 1000);
}

TEST_F(WebSocketTest, on_open_sees_the_request_and_later_calls_what_is_kept_of_it) {
  WebSocketClient client =
      open("/obey?room=caf%C3%A9+au+lait&x=y", "X-Tag: tagged\r\nSec-WebSocket-Protocol: chat.v2, chat.v1\r\n");
  EXPECT_EQ(server_.next_event(), "open /obey, room café au lait, again café au lait, tag tagged, protocol chat.v2");
  EXPECT_EQ(client.exchange("describe"), "/obey, room café au lait, protocol chat.v2, no request");
  WebSocketClient other = open_obeying();
  EXPECT_EQ(other.exchange("describe"), "/obey, room none, protocol , no request");
}

TEST_F(WebSocketTest, a_nul_stands_behind_a_message_however_it_came) {
  WebSocketClient client = open("/measure");
  for (const size_t bytes : std::initializer_list<size_t>{0, 1, 125, 126, 65535, 65536, 65537, 1000000}) {
    const std::string expected = std::to_string(bytes) + " " + std::to_string(bytes) + " 0";
    EXPECT_EQ(client.exchange(std::string(bytes, 'x')), expected) << "in one frame";
    // The byte that the NUL covers is the next frame's first.
    client.raw().send(client_frame({opcode::text}, std::string(bytes, 'x')) + client_frame({opcode::text}, "behind"));
    EXPECT_EQ(client.read_text(), expected) << "with a frame behind it";
    EXPECT_EQ(client.read_text(), "6 6 0");
    client.send_frame({.opcode = opcode::text, .fin = false}, std::string(bytes, 'x'));
    client.send_frame({.opcode = opcode::continuation}, "");
    EXPECT_EQ(client.read_text(), expected) << "in fragments";
  }
  EXPECT_EQ(client.exchange(std::string("a\0b", 3)), "3 1 0");
}

TEST_F(WebSocketTest, a_nul_stands_behind_a_message_that_came_compressed) {
  WebSocketClient client = open("/measure", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  for (const size_t bytes : std::initializer_list<size_t>{0, 1, 1023, 65536, 1000000}) {
    client.send_frame({.opcode = opcode::text, .rsv = rsv1}, deflated(std::string(bytes, 'x')));
    EXPECT_EQ(client.read_text(), std::to_string(bytes) + " " + std::to_string(bytes) + " 0");
  }
}

TEST_F(WebSocketTest, text_and_binary_are_told_apart_also_when_they_come_compressed) {
  WebSocketClient client = open("/obey", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  client.send_frame({.opcode = opcode::binary, .rsv = rsv1}, deflated("binary"));
  EXPECT_EQ(client.read_binary(), "binary");
  client.send_frame({.opcode = opcode::text, .rsv = rsv1}, deflated("text"));
  EXPECT_EQ(client.read_text(), "text");
}

TEST_F(WebSocketTest, each_socket_has_data_of_its_own) {
  WebSocketClient one = open_obeying();
  WebSocketClient two = open_obeying();
  EXPECT_EQ(one.exchange("get"), "none");
  one.send_text("set first");
  two.send_text("set second");
  EXPECT_EQ(one.exchange("get"), "first");
  EXPECT_EQ(two.exchange("get"), "second");
  one.send_text("set changed");
  EXPECT_EQ(one.exchange("get"), "changed");
  one.close();
  EXPECT_EQ(server_.next_event(), "closed changed, send -1") << "on_close can still read it";
  EXPECT_EQ(two.exchange("get"), "second");
}

TEST_F(WebSocketTest, open_sockets_have_different_numbers) {
  WebSocketClient one = open_obeying();
  WebSocketClient two = open_obeying();
  EXPECT_NE(one.exchange("number"), two.exchange("number"));
  EXPECT_EQ(one.exchange("number"), one.exchange("number"));
}

TEST_F(WebSocketTest, a_module_closes_with_the_code_and_reason_of_its_choice) {
  const std::string longest(123, 'r');
  struct Wanted {
    std::string message;
    int code;
    std::string reason;
  };
  const Wanted closes[] = {
      {"close", 1000, ""},
      {"close 1000", 1000, ""},
      {"close 1000 bye", 1000, "bye"},
      {"close 1001", 1001, ""},
      {"close 1008 rules", 1008, "rules"},
      {"close 1011 sorry", 1011, "sorry"},
      {"close 1013", 1013, ""},
      {"close 3000", 3000, ""},
      {"close 4999 très bien", 4999, "très bien"},
      {"close 4000 " + longest, 4000, longest},
  };
  for (const auto& [message, code, reason] : closes) {
    SCOPED_TRACE(message);
    WebSocketClient client = open_obeying();
    client.send_text(message);
    const CloseSeen seen = client.read_close();
    EXPECT_EQ(seen.code, code);
    EXPECT_EQ(seen.reason, reason);
    EXPECT_EQ(server_.next_event(), "close 0");
    EXPECT_EQ(server_.next_event(), "send -1") << "nothing can be sent behind a close";
    EXPECT_EQ(server_.next_event(), "closed none, send -1");
  }
}

TEST_F(WebSocketTest, a_close_that_may_not_be_sent_is_refused_and_the_socket_stays_open) {
  WebSocketClient client = open_obeying();
  for (const std::string message :
       {"close -1", "close 0", "close 999", "close 1002", "close 1004", "close 1005", "close 1006", "close 1015",
        "close 1016", "close 2999", "close 5000", "close 66536",
        "close 1000 \xc3\xa4 and more of it than fits: ......"
        ".........................................................................................................."}) {
    SCOPED_TRACE(message);
    client.send_text(message);
    EXPECT_EQ(server_.next_event(), "close -1");
    EXPECT_EQ(server_.next_event(), "send 0");
    EXPECT_EQ(client.read_text(), "behind");
  }
}

TEST_F(WebSocketTest, a_reason_that_is_no_utf8_is_refused) {
  // A client would fail the connection because of it.
  const std::string module = fill_in(R"(#include <cweb.h>
static void on_message(struct websocket *ws, const char *message, size_t length) {
    dprintf(@EVENTS@, "close %d %d\n", cweb_ws_close(ws, 1000, "\xff"), cweb_ws_close(ws, 1000, "caf\xc3"));
    ws->send(ws, "open", 4);
}
export module_t config = {.name = "reasons", .websockets = {{"/reasons", NULL, on_message, NULL}}, .ws_size = 1};
)",
                                     {{"EVENTS", std::to_string(events_fd)}});
  ASSERT_TRUE(deploy(server_.port(), module).deployed());
  WebSocketClient client = open("/reasons");
  client.send_text("go");
  EXPECT_EQ(server_.next_event(), "close -1 -1");
  EXPECT_EQ(client.read_text(), "open");
}

TEST_F(WebSocketTest, on_close_runs_once_however_a_socket_ends) {
  const std::pair<const char*, std::function<void(WebSocketClient&)>> endings[] = {
      {"the client closes", [](WebSocketClient& client) { client.close(); }},
      {"the client closes without a code", [](WebSocketClient& client) { client.send_frame({opcode::close}, ""); }},
      {"the client closes and goes at once",
       [](WebSocketClient& client) {
         client.send_close(1001);
         client.raw().reset_connection();
       }},
      {"the client goes without a word", [](WebSocketClient& client) { client.raw().end_sending(); }},
      {"the client's machine is switched off", [](WebSocketClient& client) { client.raw().reset_connection(); }},
      {"within a message",
       [](WebSocketClient& client) {
         client.send_frame({.opcode = opcode::text, .fin = false}, "half");
         client.raw().end_sending();
       }},
      {"the client breaks the protocol", [](WebSocketClient& client) { client.send_frame({.opcode = 3}, ""); }},
  };
  for (const auto& [name, end] : endings) {
    SCOPED_TRACE(name);
    WebSocketClient client = open_obeying();
    end(client);
    EXPECT_EQ(server_.next_event(), "closed none, send -1");
  }
  EXPECT_TRUE(server_.stop());
  EXPECT_THAT(server_.remaining_events(), ElementsAre());
}

TEST_F(WebSocketTest, on_close_is_told_the_code_of_the_peer) {
  open("/code").close(4000);
  EXPECT_EQ(server_.next_event(), "code 4000");
  WebSocketClient without = open("/code");
  without.send_frame({opcode::close}, "");
  EXPECT_EQ(server_.next_event(), "code 1005");
  open("/code").raw().end_sending();
  EXPECT_EQ(server_.next_event(), "code 1006");
}

TEST_F(WebSocketTest, every_open_socket_of_a_path_can_be_reached_the_longest_open_first) {
  EXPECT_EQ(answer_to("/tell-all?text=hi"), "0 walked, 0 failed, 0 texts, 0 binaries, 0 counted");
  WebSocketClient one = open_obeying();
  WebSocketClient two = open_obeying();
  WebSocketClient three = open_obeying();
  WebSocketClient elsewhere = open("/measure");
  EXPECT_EQ(answer_to("/tell-all?text=hi"), "3 walked, 0 failed, 3 texts, 3 binaries, 3 counted");
  int number = 0;
  for (WebSocketClient* client : {&one, &two, &three}) {
    EXPECT_EQ(client->read_text(), std::to_string(++number) + " hi");
    EXPECT_EQ(client->read_text(), "hi");
    EXPECT_EQ(client->read_binary(), std::string("\xff\x00\xfe", 3));
  }
  two.close();
  EXPECT_EQ(server_.next_event(), "closed none, send -1");
  EXPECT_EQ(answer_to("/tell-all?text=again"), "2 walked, 0 failed, 2 texts, 2 binaries, 2 counted");
  EXPECT_EQ(one.read_text(), "1 again");
  EXPECT_EQ(three.read_text(), "2 again");
  EXPECT_EQ(elsewhere.exchange("x"), "1 1 0") << "nothing came to another path's socket";
}

TEST_F(WebSocketTest, a_broadcast_is_compressed_for_those_that_take_it_so) {
  WebSocketClient plain = open_obeying();
  WebSocketClient small = open("/obey", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n");
  WebSocketClient packed = open("/obey", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  server_.next_event();
  server_.next_event();
  const std::string text(4000, 'x');
  answer_to("/tell-all?text=" + text);
  const auto next_broadcast = [](WebSocketClient& client) {
    client.read_frame();  // the one that was sent to it alone
    return client.read_frame().value_or(ServerFrame{});
  };
  EXPECT_EQ(next_broadcast(plain).bytes, server_frame({opcode::text}, text));
  const ServerFrame compressed = next_broadcast(packed);
  EXPECT_EQ(compressed.bits.rsv, rsv1);
  EXPECT_EQ(inflated(compressed.payload()), text);
  const ServerFrame for_small = next_broadcast(small);
  EXPECT_EQ(for_small.bits.rsv == 0 ? std::string(for_small.payload()) : inflated(for_small.payload(), 9), text);
}

TEST_F(WebSocketTest, another_module_can_speak_to_the_sockets_of_a_path) {
  WebSocketClient client = open_obeying();
  const std::string other = R"(#include <cweb.h>
static int speak(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d of %d", cweb_ws_broadcast("/obey", "from elsewhere", 14), cweb_ws_count("/obey"));
    return 0;
}
export module_t config = {.name = "speaking", .routes = {{"/speak", "GET", speak, NONE}}, .size = 1};
)";
  ASSERT_TRUE(deploy(server_.port(), other).deployed());
  EXPECT_EQ(answer_to("/speak"), "1 of 1");
  EXPECT_EQ(client.read_text(), "from elsewhere");
}

TEST_F(WebSocketTest, asking_for_what_there_is_not_is_answered_and_nothing_happens) {
  EXPECT_EQ(answer_to("/ask-for-nothing"), "0 -1 -1 0 -1 -1 0 nothing");
}

TEST_F(WebSocketTest, a_socket_without_callbacks_swallows_its_messages) {
  for (const char* path : {"/deaf", "/quiet"}) {
    WebSocketClient client = open(path);
    client.send_text("anybody?");
    client.send_frame({opcode::ping}, "p");
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->bytes, server_frame({opcode::pong}, "p")) << "the message was not answered, but it was read";
    EXPECT_EQ(client.close(4000).code, 4000);
  }
}

TEST_F(WebSocketTest, the_list_of_modules_names_their_sockets) {
  HttpClient client(server_.port());
  const auto status = module_status(client, "obeying");
  ASSERT_TRUE(status.contains("websockets"));
  ASSERT_EQ(status["websockets"].size(), 5U);
  EXPECT_EQ(status["websockets"][0]["path"], "/obey");
}

}  // namespace
}  // namespace cweb::e2e
