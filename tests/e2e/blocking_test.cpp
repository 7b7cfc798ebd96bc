// A handler that blocks or computes holds up nobody but its own client, even where one thread is configured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

/// Handlers under the test's control: they tell when they are inside, and stay there until they are let go. /block
/// sleeps in the kernel until the gate opens; /compute keeps its processor busy until /finish is asked.
const std::string busy_module = fill_in(R"(#include <cweb.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int finished;

static void tell(const char *line) {
    if (write(@EVENTS@, line, strlen(line)) < 0) return;
}

static int block(struct http_request *req, struct http_response *res) {
    char byte;
    tell("blocked\n");
    if (read(@GATE@, &byte, 1) != 1) return -1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "blocked");
    return 0;
}

static int compute(struct http_request *req, struct http_response *res) {
    unsigned long steps = 0;
    tell("computing\n");
    while (!atomic_load(&finished)) ++steps;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "computed in %lu steps", steps);
    return 0;
}

static int finish(struct http_request *req, struct http_response *res) {
    atomic_store(&finished, 1);
    return 0;
}

static int nap(struct http_request *req, struct http_response *res) {
    usleep(20000);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "rested");
    return 0;
}

export module_t config = {
    .name = "busy",
    .routes = {{"/block", "GET", block, NONE}, {"/compute", "GET", compute, NONE}, {"/finish", "POST", finish, NONE},
               {"/nap", "GET", nap, NONE}},
    .size = 4,
};
)",
                                        {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

class BlockingTest : public testing::Test {
 protected:
  BlockingTest() : server_({"--threads", "1"}) {
    EXPECT_TRUE(deploy(server_.port(), busy_module).deployed());
    EXPECT_TRUE(deploy(server_.port(), counting_module("counter", "/counter")).deployed());
  }
  void expect_events(const std::string& event, int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(server_.next_event(), event) << "the " << i + 1 << "th";
  }
  /// Sends `request` on `count` connections of their own.
  std::vector<RawClient> send_to_all(const std::string& request, int count) {
    std::vector<RawClient> clients;
    for (int i = 0; i < count; ++i) {
      clients.emplace_back(server_.port());
      EXPECT_TRUE(clients.back().send(request));
    }
    return clients;
  }
  void expect_counter_answers() {
    RawClient counter(server_.port());
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(counter.exchange(get_request("/counter")).body, "count " + std::to_string(++counted_));
    }
  }

  ServerProcess server_;
  int counted_ = 0;
};

TEST_F(BlockingTest, twenty_handlers_block_side_by_side_while_others_are_served) {
  std::vector<RawClient> clients = send_to_all(get_request("/block"), 20);
  // All twenty are inside before the first may leave: on one thread, one after the other would never come here.
  expect_events("blocked", 20);
  expect_counter_answers();
  for (RawClient& client : clients) EXPECT_TRUE(client.is_quiet());
  server_.open_gate(20);
  for (RawClient& client : clients) EXPECT_EQ(client.read_response().body, "blocked");
  expect_counter_answers();
}

TEST_F(BlockingTest, twenty_handlers_compute_while_others_are_served) {
  std::vector<RawClient> clients = send_to_all(get_request("/compute"), 20);
  expect_events("computing", 20);
  expect_counter_answers();
  EXPECT_EQ(RawClient(server_.port()).exchange(request_with_body("POST", "/finish", "")).status, 200);
  for (RawClient& client : clients) EXPECT_THAT(client.read_response().body, HasSubstr("computed in "));
  expect_counter_answers();
}

TEST_F(BlockingTest, blocking_and_computing_together_leave_deploys_and_connections_alone) {
  std::vector<RawClient> blocked = send_to_all(get_request("/block"), 20);
  expect_events("blocked", 20);
  std::vector<RawClient> computing = send_to_all(get_request("/compute"), 20);
  expect_events("computing", 20);
  expect_counter_answers();
  EXPECT_TRUE(deploy(server_.port(), answering_module("late", "/late", "here")).deployed());
  EXPECT_EQ(RawClient(server_.port()).exchange(get_request("/late")).body, "here");
  EXPECT_EQ(RawClient(server_.port()).exchange(request_with_body("POST", "/finish", "")).status, 200);
  server_.open_gate(20);
  for (RawClient& client : blocked) EXPECT_EQ(client.read_response().status, 200);
  for (RawClient& client : computing) EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(BlockingTest, each_connection_keeps_its_order_when_some_of_its_requests_block) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(get_request("/counter") + get_request("/block") + get_request("/counter") +
                          get_request("/block") + get_request("/counter")));
  expect_events("blocked", 1);
  server_.open_gate();
  expect_events("blocked", 1);
  EXPECT_EQ(client.read_response().body, "count 1");
  EXPECT_EQ(client.read_response().body, "blocked");
  EXPECT_EQ(client.read_response().body, "count 2");
  EXPECT_TRUE(client.is_quiet()) << "the second one is still inside";
  server_.open_gate();
  EXPECT_EQ(client.read_response().body, "blocked");
  EXPECT_EQ(client.read_response().body, "count 3");
}

TEST_F(BlockingTest, a_module_that_fills_its_threads_is_told_so_and_others_are_served) {
  constexpr int bound = 64;
  std::vector<RawClient> clients = send_to_all(get_request("/block"), bound);
  expect_events("blocked", bound);
  const RawResponse refused = RawClient(server_.port()).exchange(get_request("/block"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_NE(refused.body, "");
  expect_counter_answers();
  server_.open_gate(bound);
  for (RawClient& client : clients) EXPECT_EQ(client.read_response().status, 200);
  server_.open_gate();
  EXPECT_TRUE(eventually([&] { return RawClient(server_.port()).exchange(get_request("/block")).status == 200; }))
      << "it is served again";
}

TEST_F(BlockingTest, threads_that_were_needed_once_are_used_again) {
  const int rounds = repetitions(6, 3);
  long after_first = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<RawClient> clients = send_to_all(get_request("/block"), 20);
    expect_events("blocked", 20);
    server_.open_gate(20);
    for (RawClient& client : clients) ASSERT_EQ(client.read_response().status, 200);
    const long threads = facts_of(server_.pid()).threads;
    if (round == 0) after_first = threads;
    EXPECT_LE(threads, after_first + 10) << "in round " << round + 1;
  }
}

TEST_F(BlockingTest, short_naps_of_many_clients_are_all_answered) {
  std::vector<RawClient> clients;
  for (int i = 0; i < 40; ++i) clients.emplace_back(server_.port());
  for (int round = 0; round < repetitions(10, 3); ++round) {
    for (RawClient& client : clients) ASSERT_TRUE(client.send(get_request("/nap")));
    expect_counter_answers();
    for (RawClient& client : clients) ASSERT_EQ(client.read_response().body, "rested");
  }
}

}  // namespace
}  // namespace cweb::e2e
