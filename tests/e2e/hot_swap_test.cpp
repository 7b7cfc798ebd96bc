// A swap is invisible: no request fails or waits because of it, none runs old code after the deploy was answered, calls
// in flight finish on the code they began on, and unload of the old version runs after the last of them, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;

/// Version `number` of a module that tells all it does: GET /swap answers "version N", GET /wait answers it when the
/// test opens the gate, onload and unload write a line each.
std::string telling_module(int number) {
  return fill_in(
      R"(#include <cweb.h>
#include <unistd.h>

static void tell(const char *line) {
    if (write(@EVENTS@, line, strlen(line)) < 0) return;
}

static int swap(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "version @N@");
    return 0;
}

static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte;
    tell("entered @N@\n");
    if (read(@GATE@, &byte, 1) != 1) return -1;
    return swap(req, res);
}

static void load(void) { tell("load @N@\n"); }
static void leave(void) { tell("unload @N@\n"); }

export module_t config = {
    .name = "telling",
    .routes = {{"/swap", "GET", swap, NONE}, {"/wait", "GET", wait_for_gate, NONE}},
    .size = 2,
    .onload = load,
    .unload = leave,
};
)",
      {{"N", std::to_string(number)}, {"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});
}

class HotSwapTest : public testing::Test {
 protected:
  HotSwapTest() : client_(server_.port()) {}

  void deploy_version(int number) {
    const DeployAnswer answer = deploy(client_, telling_module(number));
    ASSERT_TRUE(answer.deployed()) << answer;
  }
  bool eventually_nothing_drains() {
    return eventually([&] { return draining_versions(client_, "telling") == 0; });
  }
  std::string swap_answer() { return RawClient(server_.port()).exchange(get_request("/swap")).body; }

  ServerProcess server_;
  HttpClient client_;
};

TEST_F(HotSwapTest, no_request_fails_and_none_sees_old_code_while_versions_change) {
  const int deploys = repetitions(200, 40);
  constexpr int clients = 8;
  const auto pause = std::chrono::milliseconds(20);
  const auto version = [](int number) {
    return answering_module("swapped", "/swapped", "version " + std::to_string(number));
  };
  ASSERT_TRUE(deploy(client_, version(1)).deployed());

  std::atomic<int> answered{1};  // the deploy of this version has been answered
  std::atomic<bool> done{false};
  std::atomic<long> requests{0};
  std::vector<std::thread> hammering;
  for (int i = 0; i < clients; ++i) {
    hammering.emplace_back([&] {
      RawClient client(server_.port());
      int last_seen = 0;
      while (!done && !testing::Test::HasFailure()) {
        const int at_least = answered;
        const RawResponse response = client.exchange(get_request("/swapped"));
        const int seen = static_cast<int>(last_number(response.body));
        EXPECT_EQ(response.status, 200);
        EXPECT_GE(seen, at_least) << "the deploy of version " << at_least << " was answered before this request";
        EXPECT_GE(seen, last_seen) << "no connection goes back to an older version";
        last_seen = seen;
        ++requests;
      }
    });
  }
  RawClient other(server_.port());
  for (int number = 2; number <= deploys && !HasFailure(); ++number) {
    const DeployAnswer answer = deploy(client_, version(number));
    EXPECT_TRUE(answer.deployed()) << answer;
    answered = number;
    const std::string expected = "version " + std::to_string(number);
    EXPECT_EQ(client_.get("/swapped").body, expected);
    EXPECT_EQ(other.exchange(get_request("/swapped")).body, expected);
    EXPECT_EQ(RawClient(server_.port()).exchange(get_request("/swapped")).body, expected);
    std::this_thread::sleep_for(pause);
  }
  done = true;
  for (std::thread& thread : hammering) thread.join();
  EXPECT_GT(requests, deploys) << "the clients did work meanwhile";
  EXPECT_FALSE(client_.get("/swapped").new_connection) << "the deployer's connection was never cut";
}

TEST_F(HotSwapTest, a_deploy_does_not_wait_for_a_handler_that_does) {
  deploy_version(1);
  RawClient waiting(server_.port());
  ASSERT_TRUE(waiting.send(get_request("/wait")));
  ASSERT_EQ(server_.next_event(), "load 1");
  ASSERT_EQ(server_.next_event(), "entered 1");

  deploy_version(2);  // answered, though nobody has let the handler go
  EXPECT_EQ(swap_answer(), "version 2");
  EXPECT_TRUE(waiting.is_quiet());
  EXPECT_EQ(draining_versions(client_, "telling"), 1);
  EXPECT_EQ(module_status(client_, "telling")["version"], 2);
  EXPECT_THAT(server_.remaining_events(), ElementsAre("load 2")) << "unload waits for the call inside";

  server_.open_gate();
  const RawResponse response = waiting.read_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "version 1") << "the call finished on the code it began on";
  EXPECT_EQ(server_.next_event(), "unload 1");
  EXPECT_TRUE(eventually_nothing_drains());

  EXPECT_TRUE(server_.stop());
  EXPECT_THAT(server_.remaining_events(), ElementsAre("unload 2")) << "each unload ran once";
}

TEST_F(HotSwapTest, onload_of_the_new_version_comes_before_unload_of_the_old) {
  for (int number = 1; number <= 5; ++number) deploy_version(number);
  EXPECT_TRUE(eventually_nothing_drains());
  EXPECT_TRUE(server_.stop());
  const std::vector<std::string> events = server_.remaining_events();
  const auto place = [&](const std::string& event) {
    EXPECT_EQ(std::count(events.begin(), events.end(), event), 1) << event;
    return std::find(events.begin(), events.end(), event) - events.begin();
  };
  EXPECT_EQ(events.size(), 10U);
  for (int number = 1; number < 5; ++number) {
    EXPECT_LT(place("load " + std::to_string(number + 1)), place("unload " + std::to_string(number)));
  }
  EXPECT_EQ(events.back(), "unload 5");
}

TEST_F(HotSwapTest, several_versions_drain_side_by_side) {
  constexpr int versions = 5;
  std::vector<RawClient> waiting;
  for (int number = 1; number <= versions; ++number) {
    deploy_version(number);
    ASSERT_EQ(server_.next_event(), "load " + std::to_string(number));
    waiting.emplace_back(server_.port());
    ASSERT_TRUE(waiting.back().send(get_request("/wait")));
    ASSERT_EQ(server_.next_event(), "entered " + std::to_string(number));
  }
  EXPECT_EQ(draining_versions(client_, "telling"), versions - 1);
  EXPECT_THAT(server_.remaining_events(), ElementsAre());
  server_.open_gate(versions);
  for (int number = 1; number <= versions; ++number) {
    EXPECT_EQ(waiting[static_cast<size_t>(number - 1)].read_response().body, "version " + std::to_string(number));
  }
  EXPECT_TRUE(eventually_nothing_drains());
  std::vector<std::string> events = server_.remaining_events();
  EXPECT_THAT(events, testing::UnorderedElementsAre("unload 1", "unload 2", "unload 3", "unload 4"));
}

TEST_F(HotSwapTest, a_removed_module_finishes_its_calls_before_unload) {
  deploy_version(1);
  RawClient waiting(server_.port());
  ASSERT_TRUE(waiting.send(get_request("/wait")));
  ASSERT_EQ(server_.next_event(), "load 1");
  ASSERT_EQ(server_.next_event(), "entered 1");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/telling").status, 200);
  EXPECT_EQ(client_.get("/swap").status, 404);
  EXPECT_THAT(server_.remaining_events(), ElementsAre());
  server_.open_gate();
  EXPECT_EQ(waiting.read_response().body, "version 1");
  EXPECT_EQ(server_.next_event(), "unload 1");
}

TEST_F(HotSwapTest, a_client_that_leaves_its_waiting_handler_keeps_no_version_for_ever) {
  deploy_version(1);
  ASSERT_EQ(server_.next_event(), "load 1");
  RawClient leaving(server_.port());
  ASSERT_TRUE(leaving.send(get_request("/wait")));
  ASSERT_EQ(server_.next_event(), "entered 1");
  leaving.reset_connection();
  deploy_version(2);
  EXPECT_EQ(server_.next_event(), "load 2");
  server_.open_gate();
  EXPECT_EQ(server_.next_event(), "unload 1");
}

TEST_F(HotSwapTest, requests_behind_a_waiting_one_on_its_connection_are_answered_by_the_new_version) {
  deploy_version(1);
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(get_request("/wait") + get_request("/swap")));
  ASSERT_EQ(server_.next_event(), "load 1");
  ASSERT_EQ(server_.next_event(), "entered 1");
  deploy_version(2);
  server_.open_gate();
  EXPECT_EQ(client.read_response().body, "version 1");
  EXPECT_EQ(client.read_response().body, "version 2");
}

TEST_F(HotSwapTest, an_answer_that_points_into_the_old_version_arrives_whole) {
  // The body is a static array of the version: the slow reader gets it from after that version is gone.
  const auto version = [](char letter) {
    return fill_in(R"(#include <cweb.h>
static char page[4 << 20];
static int pages(struct http_request *req, struct http_response *res) {
    res->body = page;
    res->content_length = sizeof page;
    return 0;
}
static void load(void) { memset(page, '@LETTER@', sizeof page); }
export module_t config = {
    .name = "pages", .routes = {{"/pages", "GET", pages, NONE}}, .size = 1, .onload = load};
)",
                   {{"LETTER", std::string(1, letter)}});
  };
  ASSERT_TRUE(deploy(client_, version('a')).deployed());
  RawClient slow(server_.port(), /*receive_buffer_bytes=*/4096);
  ASSERT_TRUE(slow.send(get_request("/pages")));
  // The first byte shows that the handler has returned; the rest is far more than the sockets hold.
  ASSERT_TRUE(eventually([&] { return !slow.is_quiet(); }));
  ASSERT_TRUE(deploy(client_, version('b')).deployed());
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "pages") == 0; }));
  const RawResponse response = slow.read_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), size_t{4} << 20);
  EXPECT_EQ(response.body.find_first_not_of('a'), std::string::npos);
}

}  // namespace
}  // namespace cweb::e2e
