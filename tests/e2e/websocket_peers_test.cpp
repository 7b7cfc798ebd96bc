// Peers that are slow, silent or many, and the end of the server: what a socket may cost, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

constexpr size_t flood_bytes = size_t{1} << 20;

/// /flood sends a mebibyte to everybody on /peers; /count answers how many there are.
const std::string peers_module =
    fill_in(R"(#include <cweb.h>

static char flood_text[@FLOOD@];

static void on_message(struct websocket *ws, const char *message, size_t length) { ws->send(ws, message, length); }
static void on_close(struct websocket *ws) { dprintf(@EVENTS@, "closed\n"); }

static int flood(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", cweb_ws_broadcast("/peers", flood_text, sizeof flood_text));
    return 0;
}

static int count(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d", cweb_ws_count("/peers"));
    return 0;
}

static void load(void) { memset(flood_text, 'f', sizeof flood_text); }
static void leave(void) { dprintf(@EVENTS@, "unload\n"); }

export module_t config = {
    .name = "peers",
    .routes = {{"/flood", "GET", flood, NONE}, {"/count", "GET", count, NONE}},
    .size = 2,
    .websockets = {{"/peers", NULL, on_message, on_close}},
    .ws_size = 1,
    .onload = load,
    .unload = leave,
};
)",
            {{"EVENTS", std::to_string(events_fd)}, {"FLOOD", std::to_string(flood_bytes)}});

/// Long enough for a client that the sanitizers slow down to answer a ping.
const std::vector<std::string> short_pings = {"--ws-ping-seconds", sanitized ? "3" : "1"};

void deploy_peers(const ServerProcess& server) {
  const DeployAnswer answer = deploy(server.port(), peers_module);
  ASSERT_TRUE(answer.deployed()) << answer;
}

TEST(WebSocketPeersTest, a_peer_that_stops_reading_costs_no_more_than_its_share_and_the_others_nothing) {
  // So much is broadcast that keeping it for the one that does not read would show.
  const int rounds = repetitions(256, 64);
  const long most_kb = 64 * 1024L;
  constexpr int readers = 3;
  ServerProcess server;
  deploy_peers(server);
  WebSocketClient slow(server.port(), "/peers", "", /*receive_buffer_bytes=*/4096);
  std::vector<WebSocketClient> reading;
  for (int i = 0; i < readers; ++i) reading.emplace_back(server.port(), "/peers");
  HttpClient client(server.port());
  ASSERT_EQ(client.get("/count").body, std::to_string(readers + 1));
  const std::string message(flood_bytes, 'f');
  const long before_kb = facts_of(server.pid()).resident_kb;
  long most_seen_kb = 0;
  for (int round = 0; round < rounds; ++round) {
    const HttpResponse response = client.get("/flood");
    EXPECT_GE(last_number(response.body), readers) << response.body;
    // All have it before the next is sent: who reads is never behind.
    for (WebSocketClient& reader : reading) ASSERT_EQ(reader.read_text() == message, true) << "in round " << round;
    most_seen_kb = std::max(most_seen_kb, facts_of(server.pid()).resident_kb - before_kb);
  }
  // The address sanitizer keeps what was freed.
  if (!sanitized) {
    EXPECT_LT(most_seen_kb, most_kb);
  }

  // What it finds when it reads at last: whole messages, then why it was closed, if it comes in time for that.
  int whole = 0;
  std::string rest = slow.raw().read_to_end();
  const std::string frame = server_frame({opcode::text}, message);
  while (rest.starts_with(frame)) {
    rest.erase(0, frame.size());
    ++whole;
  }
  EXPECT_LT(whole, rounds);
  EXPECT_TRUE(frame.starts_with(rest) || rest.starts_with('\x88'))
      << whole << " messages, and then " << rest.size() << " bytes that are neither part of one nor a close frame";
  EXPECT_TRUE(eventually([&] { return client.get("/count").body == std::to_string(readers); }));
}

TEST(WebSocketPeersTest, a_slow_peer_that_reads_in_the_end_gets_everything_in_order) {
  // Less than what may wait for it.
  constexpr int rounds = 12;
  ServerProcess server;
  deploy_peers(server);
  WebSocketClient slow(server.port(), "/peers", "", /*receive_buffer_bytes=*/4096);
  HttpClient client(server.port());
  for (int round = 0; round < rounds; ++round) ASSERT_EQ(client.get("/flood").body, "1");
  const std::string message(flood_bytes, 'f');
  for (int round = 0; round < rounds; ++round) ASSERT_TRUE(slow.read_text() == message) << "in round " << round;
  EXPECT_EQ(slow.exchange("hello"), "hello");
}

TEST(WebSocketPeersTest, a_peer_that_only_sends_is_not_read_from_for_ever) {
  // Its echoes wait in the server, up to a bound; then its messages wait with it.
  ServerProcess server({"--threads", "1"});
  deploy_peers(server);
  WebSocketClient sender(server.port(), "/peers", "", /*receive_buffer_bytes=*/4096);
  const std::string message(100'000, 'm');
  constexpr int messages = 400;
  const long before_kb = facts_of(server.pid()).resident_kb;
  std::thread sending([&] {
    for (int i = 0; i < messages; ++i) sender.raw().send(client_frame({opcode::text}, message));
  });
  WebSocketClient other(server.port(), "/peers");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(other.exchange("hello"), "hello");
  if (!sanitized) {
    EXPECT_LT(facts_of(server.pid()).resident_kb - before_kb, 32 * 1024L);
  }
  for (int i = 0; i < messages; ++i) ASSERT_TRUE(sender.read_text() == message) << "message " << i;
  sending.join();
  EXPECT_EQ(sender.exchange("hello"), "hello");
}

TEST(WebSocketPeersTest, a_thousand_sockets_are_open_at_a_time_and_all_are_reached) {
  const int sockets = repetitions(1000, 200);
  ServerProcess server;
  deploy_peers(server);
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < sockets; ++i) clients.emplace_back(server.port(), "/peers");
  for (int i = 0; i < sockets; ++i) clients[static_cast<size_t>(i)].send_text("number " + std::to_string(i));
  for (int i = 0; i < sockets; ++i) {
    ASSERT_EQ(clients[static_cast<size_t>(i)].read_text(), "number " + std::to_string(i));
  }
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/count").body, std::to_string(sockets));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return client.get("/count").body == "0"; }));
}

TEST(WebSocketPeersTest, an_open_socket_makes_no_room_for_those_who_come_beyond_the_bound) {
  ServerProcess server({"--max-connections", "4"});
  deploy_peers(server);
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(server.port(), "/peers");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(RawClient(server.port()).exchange(get_request("/count")).status, 503);
  for (WebSocketClient& client : clients) EXPECT_EQ(client.exchange("hello"), "hello");
  EXPECT_EQ(clients.back().close().code, 1000);
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return RawClient(server.port()).exchange(get_request("/count")).body == "3"; }));
}

TEST(WebSocketPeersTest, a_silent_peer_is_asked_and_one_that_does_not_answer_is_closed) {
  ServerProcess server(short_pings);
  deploy_peers(server);
  WebSocketClient silent(server.port(), "/peers");
  WebSocketClient answering(server.port(), "/peers");
  for (int i = 0; i < 3; ++i) {
    const auto ping = answering.read_frame();
    ASSERT_TRUE(ping.has_value());
    EXPECT_EQ(ping->bits.opcode, opcode::ping);
    answering.send_frame({opcode::pong}, ping->payload());
  }
  // Its end came while the other one was asked for the third time.
  const auto ping = silent.read_frame();
  ASSERT_TRUE(ping.has_value());
  EXPECT_EQ(ping->bits.opcode, opcode::ping);
  const auto close = silent.read_frame();
  if (close) {
    EXPECT_EQ(close->bits.opcode, opcode::close);
    EXPECT_TRUE(silent.raw().ends());
  }
  EXPECT_EQ(server.next_event(), "closed");
  EXPECT_EQ(answering.exchange("hello"), "hello");
}

TEST(WebSocketPeersTest, any_frame_of_a_peer_is_a_sign_of_life) {
  ServerProcess server(short_pings);
  deploy_peers(server);
  WebSocketClient client(server.port(), "/peers");
  // It does not answer pings, but it has something to say after each.
  for (int i = 0; i < 4; ++i) {
    const auto ping = client.read_frame();
    ASSERT_TRUE(ping.has_value()) << "closed after ping " << i;
    ASSERT_EQ(ping->bits.opcode, opcode::ping);
    client.send_text("alive");
    const auto echo = client.read_frame();
    ASSERT_TRUE(echo.has_value());
    EXPECT_EQ(echo->payload(), "alive");
  }
}

TEST(WebSocketPeersTest, sigterm_closes_every_socket_with_1001_and_tells_the_module) {
  ServerProcess server;
  deploy_peers(server);
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(server.port(), "/peers");
  for (WebSocketClient& client : clients) ASSERT_EQ(client.exchange("hello"), "hello");
  server.terminate();
  for (WebSocketClient& client : clients) EXPECT_EQ(client.read_close().code, 1001);
  EXPECT_TRUE(server.stop());
  std::vector<std::string> expected(10, "closed");
  expected.push_back("unload");
  EXPECT_EQ(server.remaining_events(), expected);
}

TEST(WebSocketPeersTest, sigterm_waits_for_no_peer_that_does_not_answer_its_close) {
  ServerProcess server;
  deploy_peers(server);
  WebSocketClient deaf(server.port(), "/peers");
  ASSERT_EQ(deaf.exchange("hello"), "hello");
  server.terminate();
  EXPECT_TRUE(server.stop());
  const auto close = deaf.read_frame();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), 1001);
  EXPECT_THAT(server.remaining_events(), testing::ElementsAre("closed", "unload"));
}

}  // namespace
}  // namespace cweb::e2e
