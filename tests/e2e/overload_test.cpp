// Clients that are slow, silent, many, or gone: each costs the server what it may cost, and the others nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

constexpr size_t big_bytes = size_t{8} << 20;

const std::string overload_module = fill_in(
    R"(#include <cweb.h>
#include <unistd.h>

static int echo(struct http_request *req, struct http_response *res) {
    res->body = malloc((size_t)req->content_length + 1);
    memcpy(res->body, req->body, (size_t)req->content_length + 1);
    res->content_length = req->content_length;
    return 0;
}

static int big(struct http_request *req, struct http_response *res) {
    res->body = malloc(@BIG@);
    memset(res->body, 'b', @BIG@);
    res->content_length = @BIG@;
    return 0;
}

/* Tells the test that it is inside, and answers when the test lets it. */
static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte;
    if (write(@EVENTS@, "entered\n", 8) < 0 || read(@GATE@, &byte, 1) != 1) return -1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "waited");
    return 0;
}

static int hello(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "hello");
    return 0;
}

export module_t config = {
    .name = "overload",
    .routes = {
        {"/hello", "GET", hello, NONE},
        {"/echo", "POST", echo, NONE},
        {"/big", "GET", big, NONE},
        {"/wait", "GET", wait_for_gate, NONE},
    },
    .size = 4,
};
)",
    {{"BIG", std::to_string(big_bytes)}, {"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

class Overloaded : public ServerProcess {
 public:
  explicit Overloaded(std::vector<std::string> options = {}, std::vector<std::string> environment = {})
      : ServerProcess(std::move(options), std::move(environment)) {
    const DeployAnswer answer = deploy(port(), overload_module);
    EXPECT_TRUE(answer.deployed()) << answer;
  }
};

bool greets(RawClient& client) {
  return client.exchange(get_request("/hello")).body == "hello";
}

/// Opens connections until one is served: what was closed a moment ago may still count.
bool greets_a_newcomer(uint16_t port) {
  return eventually([&] {
    RawClient client(port);
    return client.exchange(get_request("/hello")).status == 200;
  });
}

/// A client whose request is inside the handler. It may be turned away at first: connections that were closed a moment
/// ago can still count.
RawClient enter(Overloaded& server) {
  for (;;) {
    RawClient client(server.port());
    client.send(get_request("/wait"));
    bool entered = false;
    const bool decided = eventually([&] {
      entered = server.next_event(std::chrono::milliseconds(5)) == "entered";
      return entered || !client.is_quiet();
    });
    if (entered) return client;
    if (!decided) {
      ADD_FAILURE() << "neither in the handler nor turned away";
      return client;
    }
  }
}

/// The test's own end of a thousand connections.
void raise_own_descriptor_limit() {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

size_t occurrences(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

TEST(OverloadTest, a_connection_beyond_the_bound_gets_a_503_and_the_others_are_served) {
  Overloaded server({"--threads", "1", "--max-connections", "3"});
  std::vector<RawClient> inside;
  for (int i = 0; i < 3; ++i) inside.push_back(enter(server));
  for (int i = 0; i < 3; ++i) {
    RawClient outside(server.port());
    const RawResponse refused = outside.read_response();
    EXPECT_EQ(refused.status, 503) << "without having said a word";
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_EQ(refused.header("Connection"), "close");
    EXPECT_THAT(refused.body, HasSubstr("connections"));
    EXPECT_TRUE(outside.ends());
  }
  std::vector<RawClient> flood;
  for (int i = 0; i < 200; ++i) flood.emplace_back(server.port());
  for (RawClient& client : flood) EXPECT_EQ(client.read_response().status, 503);
  server.open_gate(3);
  for (RawClient& client : inside) EXPECT_EQ(client.read_response().body, "waited");
  inside.clear();
  EXPECT_TRUE(greets_a_newcomer(server.port()));
  EXPECT_EQ(occurrences(server.log(), "connections are taken"), 1U) << "a flood is one line, not one for each";
}

TEST(OverloadTest, who_talks_first_can_still_read_the_503) {
  Overloaded server({"--threads", "1"}, {"CWEB_MAX_CONNECTIONS=1"});
  RawClient inside = enter(server);
  const std::string request = request_with_body("POST", "/echo", std::string(10'000, 'x'));
  for (int i = 0; i < 20; ++i) {
    RawClient outside(server.port());
    outside.send(request);
    EXPECT_EQ(outside.read_response().status, 503);
  }
  server.open_gate();
  EXPECT_EQ(inside.read_response().body, "waited");
}

TEST(OverloadTest, when_all_places_are_taken_the_longest_idle_connection_makes_room) {
  Overloaded server({"--threads", "1", "--max-connections", "4"});
  std::vector<RawClient> idle;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(eventually([&] {
      RawClient client(server.port());
      if (!greets(client)) return false;
      idle.push_back(std::move(client));
      return true;
    }));
  }
  EXPECT_TRUE(greets_a_newcomer(server.port()));
  EXPECT_TRUE(idle.front().ends()) << "it was silent for longer than the others";
}

TEST(OverloadTest, when_descriptors_run_out_connections_wait_and_are_served_later) {
  Overloaded server({"--threads", "1"});
  RawClient before(server.port());
  ASSERT_TRUE(greets(before));
  rlimit limit{};
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = static_cast<rlim_t>(facts_of(server.pid()).descriptors) + 8;
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);

  std::vector<RawClient> clients;
  for (int i = 0; i < 40; ++i) clients.emplace_back(server.port());
  for (RawClient& client : clients) ASSERT_TRUE(client.send(get_request("/hello")));
  ASSERT_TRUE(eventually([&] { return server.log().find("no descriptors left") != std::string::npos; }));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(greets(before)) << "who is connected is served";
  for (RawClient& client : clients) {
    EXPECT_EQ(client.read_response().body, "hello");
    client.reset_connection();  // its place goes to one that waits
  }
  EXPECT_TRUE(greets_a_newcomer(server.port()));
  EXPECT_LE(occurrences(server.log(), "no descriptors left"), 1U + static_cast<size_t>(slowness));
}

TEST(OverloadTest, five_hundred_half_sent_requests_and_five_hundred_silent_peers_disturb_nobody) {
  raise_own_descriptor_limit();
  Overloaded server({"--max-connections", "1500"});
  std::vector<RawClient> crowd;
  for (int i = 0; i < 500; ++i) {
    crowd.emplace_back(server.port());
    crowd.emplace_back(server.port());
    ASSERT_TRUE(crowd.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Le"));
  }
  RawClient client(server.port());
  for (int i = 0; i < repetitions(2'000, 200); ++i) ASSERT_TRUE(greets(client));
  for (int i = 0; i < 50; ++i) {
    RawClient newcomer(server.port());
    ASSERT_TRUE(greets(newcomer));
  }
  EXPECT_TRUE(deploy(server.port(), answering_module("meanwhile", "/meanwhile", "deployed")).deployed());
}

TEST(OverloadTest, who_stalls_is_told_and_who_does_not_read_is_cut) {
  Overloaded server;
  RawClient half_head(server.port());
  ASSERT_TRUE(half_head.send("GET /hello HTTP/1.1\r\nHost: local"));
  RawClient half_body(server.port());
  ASSERT_TRUE(half_body.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf"));
  RawClient half_chunk(server.port());
  ASSERT_TRUE(half_chunk.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf"));
  RawClient half_line(server.port());
  ASSERT_TRUE(half_line.send("\r"));
  RawClient reads_nothing(server.port(), /*receive_buffer_bytes=*/4096);
  ASSERT_TRUE(reads_nothing.send(get_request("/big")));
  ASSERT_TRUE(is_established(server.port(), reads_nothing.local_port()));

  for (RawClient* client : {&half_head, &half_body, &half_chunk, &half_line}) {
    const RawResponse told = client->read_response();
    EXPECT_EQ(told.status, 408);
    EXPECT_EQ(told.header("Connection"), "close");
    EXPECT_NE(told.body, "");
    client->end_sending();
    EXPECT_TRUE(client->ends());
  }
  // Thirty seconds without a byte taken are the server's own bound.
  EXPECT_TRUE(eventually([&] { return !is_established(server.port(), reads_nothing.local_port()); },
                         std::chrono::seconds(30) + patience));
  EXPECT_LT(reads_nothing.read_to_end().size(), big_bytes);
}

class ResetTest : public testing::Test {
 protected:
  void SetUp() override {
    RawClient client(server_.port());
    ASSERT_TRUE(greets(client));
    at_rest_ = facts_of(server_.pid()).descriptors;
  }
  /// Whatever was reset, the server lives, serves, and has closed its side.
  void TearDown() override {
    RawClient client(server_.port());
    EXPECT_TRUE(greets(client));
    EXPECT_TRUE(eventually([&] { return facts_of(server_.pid()).descriptors <= at_rest_ + 1; }));
  }

  Overloaded server_;
  long at_rest_ = 0;
};

/// One of each kind, behind each other: head, body, chunks, and requests that are pipelined.
const std::string stream_of_requests =
    get_request("/hello", "X-Padding: some more bytes\r\n") +
    request_with_body("POST", "/echo", "a body of some length") +
    "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;e=x\r\nfirst\r\n6\r\nsecond\r\n0\r\n"
    "Some: trailer\r\n\r\n" +
    get_request("/big") + get_request("/hello");

TEST_F(ResetTest, after_any_byte_of_the_requests) {
  const size_t step = sanitized ? 7 : 1;
  for (size_t sent = 0; sent <= stream_of_requests.size(); sent += step) {
    RawClient client(server_.port(), /*receive_buffer_bytes=*/4096);
    ASSERT_TRUE(client.send(stream_of_requests.substr(0, sent)));
    client.reset_connection();
  }
}

TEST_F(ResetTest, after_any_byte_of_the_requests_each_of_which_has_arrived) {
  const size_t step = sanitized ? 41 : 11;
  for (size_t sent = 1; sent <= stream_of_requests.size(); sent += step) {
    RawClient client(server_.port(), /*receive_buffer_bytes=*/4096);
    ASSERT_TRUE(client.send_in_segments(stream_of_requests.substr(0, sent), 16));
    client.reset_connection();
  }
}

TEST_F(ResetTest, in_the_middle_of_a_request_whose_side_was_ended_first) {
  for (size_t sent = 0; sent <= stream_of_requests.size(); sent += 5) {
    RawClient client(server_.port());
    ASSERT_TRUE(client.send(stream_of_requests.substr(0, sent)));
    client.end_sending();
    client.reset_connection();
  }
}

TEST_F(ResetTest, while_the_answer_is_being_sent) {
  for (int read = 0; read < 6; ++read) {
    RawClient client(server_.port(), /*receive_buffer_bytes=*/4096);
    ASSERT_TRUE(client.send(get_request("/big") + get_request("/big")));
    for (int i = 0; i < read; ++i) EXPECT_NE(client.read_some(), 0U);
    client.reset_connection();
  }
}

TEST_F(ResetTest, while_the_handler_runs) {
  constexpr size_t count = 8;
  for (size_t i = 0; i < count; ++i) {
    RawClient client(server_.port());
    ASSERT_TRUE(client.send(get_request("/wait")));
    ASSERT_EQ(server_.next_event(), "entered");
    client.reset_connection();
  }
  server_.open_gate(count);
}

}  // namespace
}  // namespace cweb::e2e
