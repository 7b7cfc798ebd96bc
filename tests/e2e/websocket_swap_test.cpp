// Sockets outlive the code behind them: a deploy closes none, loses no message, and the next one runs the new version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "server_process.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

/// What the test of many deploys does: 200 sockets for 20 seconds are what it was written for, and these are what fits
/// into an ordinary run.
constexpr int sockets_under_deploys = 50;
constexpr std::chrono::milliseconds time_under_deploys = std::chrono::seconds(4);
constexpr std::chrono::milliseconds pause_between_deploys{50};

/// Version `number` of a module whose answers begin with it. "block" waits for the gate, "keep X" and "kept" have to do
/// with the socket's data.
std::string speaking_module(int number, bool has_path = true) {
  return fill_in(R"(#include <cweb.h>
#include <unistd.h>

static void answer(struct websocket *ws, const char *text) {
    char answer[200];
    int length = snprintf(answer, sizeof answer, "@N@ %s", text);
    ws->send(ws, answer, (size_t)length);
}

static void on_open(struct websocket *ws) { dprintf(@EVENTS@, "open @N@\n"); }
static void on_close(struct websocket *ws) {
    const char *data = cweb_ws_get_data(ws);
    dprintf(@EVENTS@, "close @N@ %s\n", data ? data : "none");
}

static void on_message(struct websocket *ws, const char *message, size_t length) {
    char byte;
    if (!strcmp(message, "block")) {
        dprintf(@EVENTS@, "blocked @N@\n");
        if (read(@GATE@, &byte, 1) != 1) return;
    }
    if (!strncmp(message, "keep ", 5)) cweb_ws_set_data(ws, strdup(message + 5));
    const char *data = cweb_ws_get_data(ws);
    answer(ws, !strcmp(message, "kept") && data ? data : message);
}

static int page(struct http_request *req, struct http_response *res) {
    cweb_ws_broadcast("/speak", "broadcast @N@", strlen("broadcast @N@"));
    return 0;
}

static void load(void) { dprintf(@EVENTS@, "load @N@\n"); }
static void leave(void) { dprintf(@EVENTS@, "unload @N@\n"); }
export module_t config = {
    .name = "speaking",
    .routes = {{"/speak-to-all", "GET", page, NONE}},
    .size = 1,
    .websockets = {{"/speak", on_open, on_message, on_close}},
    .ws_size = @PATHS@,
    .onload = load,
    .unload = leave,
};
)",
                 {{"N", std::to_string(number)},
                  {"EVENTS", std::to_string(events_fd)},
                  {"GATE", std::to_string(gate_fd)},
                  {"PATHS", has_path ? "1" : "0"}});
}

class WebSocketSwapTest : public testing::Test {
 protected:
  WebSocketSwapTest() : management_(server_.port()) {}

  void deploy_version(int number) { deploy_source(speaking_module(number)); }
  void deploy_without_path(int number) { deploy_source(speaking_module(number, /*has_path=*/false)); }
  void deploy_source(const std::string& source) {
    const DeployAnswer answer = deploy(management_, source);
    ASSERT_TRUE(answer.deployed()) << answer;
  }
  WebSocketClient open(const std::string& path = "/speak") { return WebSocketClient(server_.port(), path); }
  /// Waits for this event; those before it are not looked at.
  void await_event(const std::string& wanted) {
    std::string event;
    do {
      event = server_.next_event();
    } while (!event.empty() && event != wanted);
    EXPECT_EQ(event, wanted);
  }
  bool eventually_nothing_drains() {
    return eventually([&] { return draining_versions(management_, "speaking") == 0; });
  }

  ServerProcess server_;
  HttpClient management_;
};

/// Sends numbered messages on sockets of its own, a few ahead of the answers, and sees that each is answered once, in
/// order, and by a version that is not older than the answer before.
class NumberedEchoes {
 public:
  NumberedEchoes(uint16_t port, int sockets) {
    for (int i = 0; i < sockets; ++i) sockets_.push_back({WebSocketClient(port, "/speak")});
  }

  void run(const std::atomic<bool>& done) {
    while (!done && !testing::Test::HasFailure()) {
      for (Socket& socket : sockets_) send_some(socket);
      for (Socket& socket : sockets_) read_all(socket);
    }
    for (Socket& socket : sockets_) {
      EXPECT_EQ(socket.sent, socket.received);
      EXPECT_EQ(socket.client.close().code, 1000);
    }
  }

  long answered() const {
    long all = 0;
    for (const Socket& socket : sockets_) all += socket.received;
    return all;
  }
  int newest_version() const { return newest_; }

 private:
  struct Socket {
    WebSocketClient client;
    long sent = 0, received = 0;
    int version = 0;
  };
  static constexpr int ahead = 3;

  static void send_some(Socket& socket) {
    std::string frames;
    for (int i = 0; i < ahead; ++i) frames += client_frame({opcode::text}, "number " + std::to_string(socket.sent++));
    EXPECT_TRUE(socket.client.raw().send(frames)) << "the socket was closed";
  }
  void read_all(Socket& socket) {
    while (socket.received < socket.sent) {
      const std::string answer = socket.client.read_text();
      const int version = std::atoi(answer.c_str());
      ASSERT_EQ(answer, std::to_string(version) + " number " + std::to_string(socket.received));
      ASSERT_GE(version, socket.version) << "no socket goes back to an older version";
      socket.version = version;
      newest_ = std::max(newest_, version);
      ++socket.received;
    }
  }

  std::vector<Socket> sockets_;
  int newest_ = 0;
};

TEST_F(WebSocketSwapTest, no_socket_closes_and_no_message_is_lost_doubled_or_late_while_versions_change) {
  constexpr int threads = 5;
  deploy_version(1);
  std::vector<NumberedEchoes> echoes;
  for (int i = 0; i < threads; ++i) echoes.emplace_back(server_.port(), sockets_under_deploys / threads);
  std::atomic<bool> done{false};
  std::vector<std::thread> running;
  for (NumberedEchoes& some : echoes) running.emplace_back([&] { some.run(done); });

  int version = 1;
  const auto end = std::chrono::steady_clock::now() + time_under_deploys;
  while (std::chrono::steady_clock::now() < end && !HasFailure()) {
    const DeployAnswer answer = deploy(management_, speaking_module(++version));
    EXPECT_TRUE(answer.deployed()) << answer;
    std::this_thread::sleep_for(pause_between_deploys);
  }
  done = true;
  for (std::thread& thread : running) thread.join();
  for (const NumberedEchoes& some : echoes) {
    EXPECT_GT(some.answered(), version) << "the sockets did work meanwhile";
    EXPECT_GT(some.newest_version(), 1);
  }
  EXPECT_GT(version, 2);
  EXPECT_TRUE(eventually_nothing_drains());
}

TEST_F(WebSocketSwapTest, the_next_message_after_a_deploy_runs_the_new_version) {
  deploy_version(1);
  WebSocketClient client = open();
  EXPECT_EQ(client.exchange("hello"), "1 hello");
  for (int number = 2; number <= repetitions(30, 10); ++number) {
    deploy_version(number);
    ASSERT_EQ(client.exchange("hello"), std::to_string(number) + " hello");
  }
  EXPECT_TRUE(eventually_nothing_drains()) << "an open socket keeps no old version";
}

TEST_F(WebSocketSwapTest, a_message_that_is_being_handled_finishes_on_the_old_version_and_the_next_runs_the_new) {
  deploy_version(1);
  WebSocketClient client = open();
  client.send_text("block");
  await_event("blocked 1");
  deploy_version(2);
  WebSocketClient other = open();
  EXPECT_EQ(other.exchange("hello"), "2 hello");
  client.send_text("behind");
  server_.open_gate();
  EXPECT_EQ(client.read_text(), "1 block");
  EXPECT_EQ(client.read_text(), "2 behind");
  await_event("unload 1");
}

TEST_F(WebSocketSwapTest, messages_that_waited_behind_a_blocking_one_run_the_new_version) {
  deploy_version(1);
  WebSocketClient client = open();
  client.raw().send(client_frame({opcode::text}, "block") + client_frame({opcode::text}, "in the same segment"));
  await_event("blocked 1");
  deploy_version(2);
  server_.open_gate();
  EXPECT_EQ(client.read_text(), "1 block");
  EXPECT_EQ(client.read_text(), "2 in the same segment");
}

TEST_F(WebSocketSwapTest, a_message_whose_fragments_come_before_and_after_a_deploy_is_one_message_for_the_new_version) {
  deploy_version(1);
  WebSocketClient client = open();
  client.send_frame({.opcode = opcode::text, .fin = false}, "before ");
  client.raw().send(client_frame({.opcode = opcode::continuation}, "and after").substr(0, 8));
  EXPECT_EQ(open().exchange("hello"), "1 hello");
  deploy_version(2);
  client.raw().send(client_frame({.opcode = opcode::continuation}, "and after").substr(8));
  EXPECT_EQ(client.read_text(), "2 before and after");
}

TEST_F(WebSocketSwapTest, the_close_of_a_socket_that_an_old_version_opened_is_the_new_ones_to_handle) {
  deploy_version(1);
  WebSocketClient client = open();
  ASSERT_EQ(client.exchange("hello"), "1 hello");
  deploy_version(2);
  await_event("unload 1");
  client.close();
  EXPECT_EQ(server_.next_event(), "close 2 none");
}

TEST_F(WebSocketSwapTest, what_a_version_kept_with_a_socket_can_be_read_by_those_after_it) {
  deploy_version(1);
  WebSocketClient client = open();
  EXPECT_EQ(client.exchange("keep this"), "1 keep this");
  for (int number = 2; number <= 5; ++number) {
    deploy_version(number);
    EXPECT_EQ(client.exchange("kept"), std::to_string(number) + " this") << "in memory of version 1";
  }
  EXPECT_EQ(client.exchange("keep that"), "5 keep that");
  deploy_version(6);
  EXPECT_EQ(client.exchange("kept"), "6 that");
  client.close();
  await_event("close 6 that");
  EXPECT_TRUE(eventually_nothing_drains()) << "with the socket the last of the old memory goes";
}

TEST_F(WebSocketSwapTest, without_the_path_messages_are_dropped_and_a_later_version_with_it_goes_on) {
  deploy_version(1);
  WebSocketClient client = open();
  EXPECT_EQ(client.exchange("hello"), "1 hello");
  deploy_without_path(2);
  EXPECT_EQ(RawClient(server_.port()).exchange(websocket_handshake("/speak")).status, 404) << "nobody new comes in";
  for (int i = 0; i < 10; ++i) client.send_text("dropped " + std::to_string(i));
  client.send_frame({opcode::ping}, "still there?");
  const auto pong = client.read_frame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->bytes, server_frame({opcode::pong}, "still there?")) << "the ten messages before it came to nothing";
  EXPECT_EQ(management_.get("/speak-to-all").status, 200);
  EXPECT_EQ(client.read_text(), "broadcast 2") << "it is open, and can be sent to";
  deploy_version(3);
  EXPECT_EQ(client.exchange("hello"), "3 hello");
  client.close();
  await_event("close 3 none");
}

TEST_F(WebSocketSwapTest, a_socket_may_close_while_its_path_is_gone) {
  deploy_version(1);
  WebSocketClient client = open();
  deploy_without_path(2);
  EXPECT_EQ(client.close(4000).code, 4000);
  deploy_version(3);
  EXPECT_TRUE(server_.stop());
  for (const std::string& event : server_.remaining_events()) EXPECT_THAT(event, testing::Not(HasSubstr("close")));
}

TEST_F(WebSocketSwapTest, when_a_module_is_removed_its_sockets_are_closed_with_1001) {
  deploy_version(1);
  deploy_source(answering_module("other", "/other", "still here"));
  WebSocketClient idle = open();
  WebSocketClient busy = open();
  busy.send_text("block");
  await_event("blocked 1");
  EXPECT_EQ(management_.send("DELETE", "/mgnt/modules/speaking").status, 200);
  EXPECT_EQ(idle.read_close().code, 1001);
  EXPECT_EQ(RawClient(server_.port()).exchange(websocket_handshake("/speak")).status, 404);
  // It need not wait for the message; what that says from now on comes too late.
  const auto close = busy.read_frame();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), 1001);
  ASSERT_TRUE(busy.send_close(1001));
  server_.open_gate();
  EXPECT_TRUE(busy.raw().ends());
  await_event("unload 1");
  EXPECT_EQ(management_.get("/other").body, "still here");
}

TEST_F(WebSocketSwapTest, a_module_that_comes_again_is_open_to_new_sockets) {
  deploy_version(1);
  WebSocketClient old = open();
  EXPECT_EQ(management_.send("DELETE", "/mgnt/modules/speaking").status, 200);
  EXPECT_EQ(old.read_close().code, 1001);
  deploy_version(2);
  EXPECT_EQ(open().exchange("hello"), "2 hello");
}

TEST_F(WebSocketSwapTest, a_second_module_cannot_claim_the_path) {
  deploy_version(1);
  WebSocketClient client = open();
  const std::string thief = R"(#include <cweb.h>
static void on_message(struct websocket *ws, const char *message, size_t length) { ws->send(ws, "mine", 4); }
export module_t config = {.name = "thief", .websockets = {{"/speak", NULL, on_message, NULL}}, .ws_size = 1};
)";
  const DeployAnswer answer = deploy(management_, thief);
  EXPECT_EQ(answer.status, 409) << answer;
  EXPECT_THAT(answer.all_sentences(), testing::AllOf(HasSubstr("/speak"), HasSubstr("speaking")));
  EXPECT_EQ(client.exchange("hello"), "1 hello");
  EXPECT_EQ(open().exchange("hello"), "1 hello");

  // Once its owner has given it up, it can; nobody speaks for the owner's sockets any more.
  deploy_without_path(2);
  client.send_frame({opcode::ping}, "p");
  const auto pong = client.read_frame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->bytes, server_frame({opcode::pong}, "p")) << "it is open until then";
  deploy_source(thief);
  EXPECT_EQ(open().exchange("hello"), "mine");
  EXPECT_EQ(client.read_close().code, 1001);
}

TEST_F(WebSocketSwapTest, a_deploy_that_fails_changes_nothing_for_the_sockets) {
  deploy_version(1);
  WebSocketClient client = open();
  EXPECT_EQ(deploy(management_, "#include <cweb.h>\nthis is no C").status, 422);
  std::string wrong_callback = speaking_module(2);
  wrong_callback.replace(wrong_callback.find("const char *message, size_t length"), 34, "int message, size_t length");
  EXPECT_EQ(deploy(management_, wrong_callback).status, 422);
  EXPECT_EQ(client.exchange("hello"), "1 hello");
}

}  // namespace
}  // namespace cweb::e2e
