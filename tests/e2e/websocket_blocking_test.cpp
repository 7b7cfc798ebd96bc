// The callbacks of one socket follow each other, those of different sockets do not wait for each other, and sending is
// possible from any thread for as long as somebody has the pointer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "server_process.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::pair<std::string, std::string>> descriptors = {{"EVENTS", std::to_string(events_fd)},
                                                                      {"GATE", std::to_string(gate_fd)}};

/// "block" waits until the gate opens, "nap" sleeps, "abort" and "exit" are what they say; everything else is echoed.
/// /next-to answers how many calls of one socket were ever seen at the same time.
const std::string moody_module = fill_in(R"(#include <cweb.h>
#include <assert.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int most_inside;

static void on_open(struct websocket *ws) {
    cweb_ws_set_data(ws, calloc(1, sizeof(atomic_int)));
    if (cweb_ws_param(ws, "abort")) abort();
    if (cweb_ws_param(ws, "close")) ws->close(ws);
    if (cweb_ws_param(ws, "slow")) {
        char byte;
        dprintf(@EVENTS@, "opening\n");
        if (read(@GATE@, &byte, 1) != 1) return;
        ws->send(ws, "opened", 6);
    }
}

static void block(struct websocket *ws) {
    char byte;
    dprintf(@EVENTS@, "blocked\n");
    if (read(@GATE@, &byte, 1) == 1) ws->send(ws, "unblocked", 9);
}

static void on_message(struct websocket *ws, const char *message, size_t length) {
    atomic_int *inside = cweb_ws_get_data(ws);
    int now = atomic_fetch_add(inside, 1) + 1;
    if (now > atomic_load(&most_inside)) atomic_store(&most_inside, now);
    if (!strcmp(message, "abort")) abort();
    if (!strcmp(message, "exit")) exit(1);
    if (!strcmp(message, "assert")) assert(!"this");
    if (!strcmp(message, "block")) {
        block(ws);
    } else {
        if (!strncmp(message, "nap", 3)) usleep(20000);
        ws->send(ws, message, length);
    }
    atomic_fetch_sub(inside, 1);
}

static void on_close(struct websocket *ws) {
    atomic_int *inside = cweb_ws_get_data(ws);
    dprintf(@EVENTS@, "closed with %d inside\n", atomic_load(inside));
}

/* To every socket, whatever its callbacks are doing. */
static int tell_all(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", cweb_ws_broadcast("/moody", "to all", 6));
    return 0;
}

static int close_all(struct http_request *req, struct http_response *res) {
    int closed = 0;
    for (struct websocket *ws = cweb_ws_next("/moody", NULL); ws; ws = cweb_ws_next("/moody", ws))
        closed += cweb_ws_close(ws, 4000, "all") == 0;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", closed);
    return 0;
}

static int next_to(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", atomic_load(&most_inside));
    return 0;
}

export module_t config = {
    .name = "moody",
    .routes = {{"/next-to", "GET", next_to, NONE}, {"/tell-all", "GET", tell_all, NONE},
               {"/close-all", "GET", close_all, NONE}},
    .size = 3,
    .websockets = {{"/moody", on_open, on_message, on_close}},
    .ws_size = 1,
};
)",
                                         descriptors);

class WebSocketBlockingTest : public testing::Test {
 protected:
  WebSocketBlockingTest() : server_({"--threads", "1"}) {
    const DeployAnswer answer = deploy(server_.port(), moody_module);
    EXPECT_TRUE(answer.deployed()) << answer;
  }
  WebSocketClient open(const std::string& path = "/moody") { return WebSocketClient(server_.port(), path); }
  std::string answer_to(const std::string& path) { return RawClient(server_.port()).exchange(get_request(path)).body; }
  static void expect_echoes(WebSocketClient& client) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.exchange("echo " + std::to_string(i)), "echo " + std::to_string(i));
  }

  ServerProcess server_;
};

TEST_F(WebSocketBlockingTest, a_message_that_takes_its_time_keeps_nobody_else_waiting) {
  WebSocketClient other = open();
  WebSocketClient sleeping = open();
  ASSERT_TRUE(sleeping.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  expect_echoes(other);
  WebSocketClient newcomer = open();
  expect_echoes(newcomer);
  EXPECT_EQ(answer_to("/next-to"), "1") << "requests are answered as well";
  EXPECT_TRUE(sleeping.raw().is_quiet());
  server_.open_gate();
  EXPECT_EQ(sleeping.read_text(), "unblocked");
  expect_echoes(sleeping);
}

TEST_F(WebSocketBlockingTest, twenty_sockets_block_side_by_side) {
  std::vector<WebSocketClient> sleeping;
  for (int i = 0; i < 20; ++i) {
    sleeping.push_back(open());
    ASSERT_TRUE(sleeping.back().send_text("block"));
  }
  // All are inside before the first may leave.
  for (int i = 0; i < 20; ++i) ASSERT_EQ(server_.next_event(), "blocked");
  WebSocketClient other = open();
  expect_echoes(other);
  server_.open_gate(20);
  for (WebSocketClient& client : sleeping) EXPECT_EQ(client.read_text(), "unblocked");
}

TEST_F(WebSocketBlockingTest, what_comes_behind_a_message_that_blocks_waits_for_it) {
  WebSocketClient client = open();
  ASSERT_TRUE(client.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.send_text(std::to_string(i)));
  WebSocketClient other = open();
  expect_echoes(other);
  EXPECT_TRUE(client.raw().is_quiet());
  server_.open_gate();
  EXPECT_EQ(client.read_text(), "unblocked");
  for (int i = 0; i < 50; ++i) ASSERT_EQ(client.read_text(), std::to_string(i));
  EXPECT_EQ(answer_to("/next-to"), "1");
}

TEST_F(WebSocketBlockingTest, more_sockets_than_may_block_at_a_time_take_turns) {
  // 64 calls of a module may be off their loops; what comes beyond them waits, and nothing of it is refused.
  constexpr int sockets = 80;
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < sockets; ++i) clients.push_back(open());
  for (WebSocketClient& client : clients) ASSERT_TRUE(client.send_text("block"));
  for (int i = 0; i < 64; ++i) ASSERT_EQ(server_.next_event(), "blocked");
  EXPECT_EQ(RawClient(server_.port()).exchange(get_request("/mgnt/health")).status, 200);
  server_.open_gate(sockets);
  for (WebSocketClient& client : clients) EXPECT_EQ(client.read_text(), "unblocked");
  for (WebSocketClient& client : clients) EXPECT_EQ(client.exchange("echo"), "echo");
}

TEST_F(WebSocketBlockingTest, what_others_send_to_a_socket_does_not_wait_for_its_message_to_return) {
  WebSocketClient client = open();
  ASSERT_TRUE(client.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(answer_to("/tell-all"), "1");
    EXPECT_EQ(client.read_text(), "to all");
  }
  server_.open_gate();
  EXPECT_EQ(client.read_text(), "unblocked");
}

TEST_F(WebSocketBlockingTest, a_socket_that_others_close_while_its_message_blocks_is_closed_at_once) {
  WebSocketClient client = open();
  ASSERT_TRUE(client.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  EXPECT_EQ(answer_to("/close-all"), "1");
  const auto close = client.read_frame();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), 4000);
  EXPECT_EQ(answer_to("/tell-all"), "0") << "nothing can be sent to it";
  EXPECT_EQ(answer_to("/close-all"), "0");
  EXPECT_THAT(server_.remaining_events(), ElementsAre());
  ASSERT_TRUE(client.send_close(4000));
  server_.open_gate();
  EXPECT_TRUE(client.raw().ends()) << "what on_message sent came too late";
  EXPECT_EQ(server_.next_event(), "closed with 0 inside");
}

TEST_F(WebSocketBlockingTest, sigterm_waits_for_the_message_that_is_being_handled) {
  WebSocketClient client = open();
  WebSocketClient idle = open();
  ASSERT_TRUE(client.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  server_.terminate();
  // It has begun to end: only now may the call return.
  EXPECT_EQ(idle.read_close().code, 1001);
  EXPECT_EQ(server_.next_event(), "closed with 0 inside");
  server_.open_gate();
  EXPECT_EQ(client.read_close().code, 1001);
  EXPECT_TRUE(server_.stop());
  EXPECT_THAT(server_.remaining_events(), ElementsAre("closed with 0 inside"));
}

TEST_F(WebSocketBlockingTest, messages_come_in_order_and_one_at_a_time_also_when_some_of_them_sleep) {
  constexpr int clients = 8;
  const int messages = repetitions(100, 40);
  const auto message = [](int number) { return (number % 10 == 3 ? "nap " : "") + std::to_string(number); };
  std::vector<WebSocketClient> sockets;
  for (int i = 0; i < clients; ++i) sockets.push_back(open());
  std::string all;
  for (int i = 0; i < messages; ++i) all += client_frame({opcode::text}, message(i));
  for (WebSocketClient& socket : sockets) ASSERT_TRUE(socket.raw().send(all));
  for (WebSocketClient& socket : sockets) {
    for (int i = 0; i < messages; ++i) ASSERT_EQ(socket.read_text(), message(i));
  }
  EXPECT_EQ(answer_to("/next-to"), "1") << "no two calls of one socket at a time";
}

TEST_F(WebSocketBlockingTest, messages_wait_for_on_open_and_on_close_for_messages) {
  WebSocketClient client = open("/moody?slow=1");
  ASSERT_EQ(server_.next_event(), "opening");
  ASSERT_TRUE(client.send_text("at once"));
  WebSocketClient other = open();
  expect_echoes(other);
  EXPECT_TRUE(client.raw().is_quiet()) << "on_open has not returned";
  server_.open_gate();
  EXPECT_EQ(client.read_text(), "opened");
  EXPECT_EQ(client.read_text(), "at once");

  ASSERT_TRUE(client.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  client.raw().reset_connection();
  expect_echoes(other);
  EXPECT_THAT(server_.remaining_events(), ElementsAre()) << "on_message has not returned";
  server_.open_gate();
  EXPECT_EQ(server_.next_event(), "closed with 0 inside");
}

TEST_F(WebSocketBlockingTest, a_close_while_a_message_blocks_is_answered_when_it_has_returned) {
  WebSocketClient client = open();
  ASSERT_TRUE(client.send_text("block"));
  ASSERT_EQ(server_.next_event(), "blocked");
  ASSERT_TRUE(client.send_close(4321));
  WebSocketClient other = open();
  expect_echoes(other);
  server_.open_gate();
  EXPECT_EQ(client.read_text(), "unblocked");
  EXPECT_EQ(client.read_close().code, 4321);
  EXPECT_EQ(server_.next_event(), "closed with 0 inside");
}

TEST_F(WebSocketBlockingTest, a_message_that_fails_ends_its_socket_and_no_other) {
  WebSocketClient other = open();
  for (const char* failing : {"abort", "exit", "assert"}) {
    SCOPED_TRACE(failing);
    WebSocketClient client = open();
    EXPECT_EQ(client.exchange("echo"), "echo");
    ASSERT_TRUE(client.send_text(failing));
    ASSERT_TRUE(client.send_text("behind"));
    EXPECT_EQ(client.read_close().code, 1011);
    EXPECT_EQ(server_.next_event(), "closed with 1 inside") << "on_close is told of this end as well";
    expect_echoes(other);
  }
  EXPECT_THAT(server_.log(), HasSubstr("moody"));
}

TEST_F(WebSocketBlockingTest, on_open_may_close_its_socket_or_fail) {
  WebSocketClient closed = open("/moody?close=1");
  EXPECT_EQ(closed.read_close().code, 1000);
  EXPECT_EQ(server_.next_event(), "closed with 0 inside");
  WebSocketClient failed = open("/moody?abort=1");
  EXPECT_EQ(failed.read_close().code, 1011);
  EXPECT_EQ(server_.next_event(), "closed with 0 inside");
  WebSocketClient other = open();
  expect_echoes(other);
}

/// A thread of the module's sends to one socket, which it keeps beyond its end.
const std::string thread_module = fill_in(R"(#include <cweb.h>
#include <stdatomic.h>
#include <unistd.h>

static struct websocket *_Atomic kept;
static atomic_int ending;
static pthread_t thread;
static long times, others;

static void *send_all_the_time(void *unused) {
    for (long i = 0; !atomic_load(&ending); ++i) {
        struct websocket *ws = atomic_load(&kept);
        char text[30];
        int length = snprintf(text, sizeof text, "%ld", i);
        if (!ws || ws->send(ws, text, (size_t)length) != 0) i = -1;
        usleep(100);
    }
    return NULL;
}

static void on_open(struct websocket *ws) { atomic_store(&kept, ws); }
static void on_close(struct websocket *ws) { dprintf(@EVENTS@, "closed\n"); }
static void load(void) { pthread_create(&thread, NULL, send_all_the_time, NULL); }

static void leave(void) {
    atomic_store(&ending, 1);
    pthread_join(thread, NULL);
    dprintf(@EVENTS@, "joined\n");
}

static void *use_the_closed(void *unused) {
    struct websocket *ws = atomic_load(&kept);
    for (long i = 0; i < times; ++i) {
        int result = i % 4 == 0   ? cweb_ws_send_binary(ws, "late", 4)
                     : i % 4 == 1 ? cweb_ws_close(ws, 1000, "late")
                     : i % 4 == 2 ? ws->close(ws)
                                  : ws->send(ws, "late", 4);
        cweb_ws_set_data(ws, &times);
        if (result != -1 || cweb_ws_get_data(ws) || cweb_ws_param(ws, "x") || cweb_ws_request(ws)) ++others;
    }
    return NULL;
}

/* On a thread of its own, as often as the query says. */
static int late(struct http_request *req, struct http_response *res) {
    pthread_t other;
    times = atol(map_get(req->params, "times"));
    pthread_create(&other, NULL, use_the_closed, NULL);
    pthread_join(other, NULL);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%ld times, %ld other than -1", times, others);
    return 0;
}

export module_t config = {
    .name = "thread",
    .routes = {{"/late", "GET", late, NONE}},
    .size = 1,
    .websockets = {{"/thread", on_open, NULL, on_close}},
    .ws_size = 1,
    .onload = load,
    .unload = leave,
};
)",
                                          descriptors);

TEST_F(WebSocketBlockingTest, a_thread_of_the_module_sends_as_it_likes) {
  ASSERT_TRUE(deploy(server_.port(), thread_module).deployed());
  WebSocketClient client = open("/thread");
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.read_text(), std::to_string(i));
  WebSocketClient other = open();
  expect_echoes(other);
  // unload joins the thread, and nothing of it is left.
  HttpClient management(server_.port());
  EXPECT_EQ(management.send("DELETE", "/mgnt/modules/thread").status, 200);
  EXPECT_EQ(server_.next_event(), "joined");
}

TEST_F(WebSocketBlockingTest, a_socket_that_has_gone_answers_minus_one_for_as_long_as_somebody_asks) {
  ASSERT_TRUE(deploy(server_.port(), thread_module).deployed());
  {
    WebSocketClient client = open("/thread");
    EXPECT_EQ(client.read_text(), "0");
    client.raw().reset_connection();
  }
  ASSERT_EQ(server_.next_event(), "closed");
  const std::string times = std::to_string(repetitions(1'000'000, 100'000));
  EXPECT_EQ(answer_to("/late?times=" + times), times + " times, 0 other than -1");
  WebSocketClient other = open();
  expect_echoes(other);
}

}  // namespace
}  // namespace cweb::e2e
