// A call that takes too long is ended, and its client told where it was. What cannot be ended is answered for all the
// same, and keeps nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "process_facts.h"
#include "prometheus_text.h"
#include "raw_client.h"
#include "server_process.h"
#include "steady_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

const std::string slow_module = fill_in(R"(#include <cweb.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned long steps;

static int loop(struct http_request *req, struct http_response *res) {
    dprintf(@EVENTS@, "looping\n");
    for (;;) steps = steps + 1; /* here */
}

/* Lets the stuck call go when the gate opens. */
static void *wait_for_gate(void *unused) {
    char byte;
    if (read(@GATE@, &byte, 1) == 1) pthread_mutex_unlock(&mutex);
    return unused;
}

static int stuck(struct http_request *req, struct http_response *res) {
    pthread_t thread;
    pthread_mutex_lock(&mutex);
    if (pthread_create(&thread, NULL, wait_for_gate, NULL) != 0) return -1;
    pthread_detach(thread);
    dprintf(@EVENTS@, "stuck\n");
    pthread_mutex_lock(&mutex); /* stuck here */
    return 0;
}

static int nap(struct http_request *req, struct http_response *res) {
    usleep(20000);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "in time");
    return 0;
}

static int count_to(struct http_request *req, struct http_response *res) {
    static int calls;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "count %d", ++calls);
    return 0;
}

export module_t config = {
    .name = "slow",
    .routes = {{"/loop", "GET", loop, NONE}, {"/stuck", "GET", stuck, NONE}, {"/nap", "GET", nap, NONE},
               {"/count", "GET", count_to, NONE}},
    .size = 4,
    .deadline_ms = @DEADLINE_MS@,
};
)",
                                        {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

std::string slow_module_with(int deadline_ms) {
  return fill_in(slow_module, {{"DEADLINE_MS", std::to_string(deadline_ms)}});
}

class DeadlineTest : public testing::Test {
 protected:
  /// Of the server, over the next second, as a part of one processor.
  double load_of_a_second() const {
    const long before = processor_ticks_of(server_.pid());
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return static_cast<double>(processor_ticks_of(server_.pid()) - before) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1", "--deadline-ms", "400", "--fault-limit", "0"}};
  HttpClient client_{server_.port()};
};

TEST_F(DeadlineTest, loops_without_end_are_answered_with_504_and_leave_the_processor_free) {
  const std::string module = slow_module_with(1000);  // each of them has begun by then
  ASSERT_TRUE(deploy(client_, module).deployed());
  SteadyClient steady(server_.port());
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(server_.port());
    ASSERT_TRUE(clients.back().send(get_request("/loop")));
  }
  for (RawClient& client : clients) {
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 504);
    EXPECT_THAT(response.body, HasSubstr("deadline of 1 s at " + marked_place(module)));
  }
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "slow") == 0; })) << "a loop runs on";
}

TEST_F(DeadlineTest, after_a_loop_without_end_was_ended_the_server_does_nothing) {
  ASSERT_TRUE(deploy(client_, slow_module_with(300)).deployed());
  EXPECT_EQ(client_.get("/loop").status, 504);
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "slow") == 0; }));
  EXPECT_LT(load_of_a_second(), 0.1);
}

TEST_F(DeadlineTest, a_module_without_a_deadline_of_its_own_has_that_of_the_server) {
  ASSERT_TRUE(deploy(client_, slow_module_with(0)).deployed());
  const HttpResponse response = client_.get("/loop");
  EXPECT_EQ(response.status, 504);
  EXPECT_THAT(response.body, HasSubstr("deadline of 0.4 s"));
}

TEST_F(DeadlineTest, a_deadline_that_is_none_is_refused) {
  EXPECT_EQ(deploy(client_, slow_module_with(-1)).status, 422);
  EXPECT_EQ(deploy(client_, slow_module_with(86'400'001)).status, 422);
  EXPECT_EQ(deploy(client_, slow_module_with(86'400'000)).status, 200);
}

TEST_F(DeadlineTest, calls_in_time_are_left_alone) {
  ASSERT_TRUE(deploy(client_, slow_module_with(patience.count())).deployed());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client_.get("/nap").body, "in time");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client_.get("/count").body, "count " + std::to_string(i + 1));
  EXPECT_EQ(module_status(client_, "slow").value("faults", -1), 0);
}

TEST_F(DeadlineTest, a_deadline_counts_for_each_call_of_a_connection_and_not_for_all_together) {
  ASSERT_TRUE(deploy(client_, slow_module_with(300 * slowness)).deployed());
  for (int i = 0; i < 30; ++i) ASSERT_EQ(client_.get("/nap").body, "in time");
  EXPECT_EQ(module_status(client_, "slow").value("faults", -1), 0);
}

TEST_F(DeadlineTest, a_call_that_cannot_be_ended_is_answered_while_it_is_stuck) {
  ASSERT_TRUE(deploy(client_, slow_module_with(300)).deployed());
  SteadyClient steady(server_.port());
  const HttpResponse response = client_.get("/stuck");
  EXPECT_EQ(response.status, 504) << response.error;
  EXPECT_THAT(response.body, HasSubstr("at " + marked_place(slow_module, "stuck here")));
  EXPECT_EQ(server_.next_event(), "stuck");
  EXPECT_EQ(client_.get("/count").body, "count 1");
  EXPECT_EQ(draining_versions(client_, "slow"), 1) << "the call is inside its version still";
  EXPECT_LT(load_of_a_second(), 0.1 * slowness) << "being interrupted costs little";
  server_.open_gate();
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "slow") == 0; })) << "it is over when it returns";
  EXPECT_EQ(module_status(client_, "slow").value("faults", 0), 1);
}

TEST_F(DeadlineTest, the_report_of_a_stuck_call_names_its_path_without_the_query) {
  ASSERT_TRUE(deploy(client_, slow_module_with(100)).deployed());
  EXPECT_THAT(client_.get("/stuck?a=1&b=2").body, HasSubstr("during GET /stuck\n    GET /stuck?a 1"));
  EXPECT_EQ(client_.get("/stuck?a=2").status, 504);
  const auto reports = module_status(client_, "slow")["recent_faults"];
  ASSERT_EQ(reports.size(), 1U) << "another query is not another place: " << reports;
  EXPECT_EQ(reports[0].value("call", ""), "GET /stuck");
  EXPECT_EQ(reports[0].value("times", 0), 2);
  server_.open_gate(2);
}

/// Threads that one module may have.
constexpr int share = 64;

/// Of a module that has this many stuck calls and does not get more threads: its calls are refused, others answered.
class StuckModuleTest : public DeadlineTest {
 protected:
  void SetUp() override { ASSERT_TRUE(deploy(client_, slow_module_with(50)).deployed()); }
  double metric(const std::string& name, const LabelMap& labels = {}) {
    return PrometheusText(client_.get("/mgnt/metrics").body).sum(name, labels);
  }
  void fill_share() {
    for (int i = 1; i < share; ++i) {
      const HttpResponse response = client_.get("/stuck");
      ASSERT_EQ(response.status, 504) << "the " << i << "th";
      ASSERT_THAT(response.body, HasSubstr("a fresh instance answers")) << "the " << i << "th";
    }
    EXPECT_THAT(client_.get("/stuck").body, HasSubstr("64 of its calls are stuck: the module is quarantined"));
    EXPECT_EQ(metric("cweb_module_stuck_calls", {{"module", "slow"}}), share);
  }
  void expect_refused() {
    for (const char* const path : {"/count", "/stuck"}) {
      const HttpResponse refused = client_.get(path);
      EXPECT_EQ(refused.status, 503) << path;
      EXPECT_GT(last_number(refused.header("retry-after")), 0);
      EXPECT_THAT(refused.body, HasSubstr("64 calls of this module are stuck"));
    }
    EXPECT_LE(metric("cweb_threads"), share + 16);
  }
  std::string state() { return module_status(client_, "slow").value("state", ""); }
};

TEST_F(StuckModuleTest, stuck_calls_fill_the_modules_share_of_threads_and_others_are_served) {
  SteadyClient steady(server_.port());
  fill_share();
  EXPECT_EQ(state(), "quarantined");
  expect_refused();
  EXPECT_LT(load_of_a_second(), 0.3 * slowness) << "they are interrupted ever more seldom";
  server_.open_gate(share);
  EXPECT_TRUE(eventually([&] { return metric("cweb_module_stuck_calls", {{"module", "slow"}}) == 0; }));
  EXPECT_EQ(client_.get("/count").status, 503) << "until a person has looked at it";
  EXPECT_EQ(client_.post("/mgnt/modules/slow/restart", "").body, "slow is restarted\n");
  EXPECT_EQ(client_.get("/count").body, "count 1");
  steady.wait_for_answers(10);
}

TEST_F(StuckModuleTest, neither_a_restart_nor_a_new_deploy_gets_around_the_share) {
  fill_share();
  const HttpResponse restarted = client_.post("/mgnt/modules/slow/restart", "");
  EXPECT_EQ(restarted.status, 200);
  EXPECT_THAT(restarted.body, HasSubstr("64 calls of slow are stuck"));
  EXPECT_EQ(state(), "live");
  expect_refused();
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/slow").status, 200);
  const DeployAnswer again = deploy(client_, slow_module_with(50));
  ASSERT_TRUE(again.deployed()) << again;
  EXPECT_THAT(again.all_sentences(), HasSubstr("64 calls of slow are stuck"));
  expect_refused();
  server_.open_gate(share);
  EXPECT_TRUE(eventually([&] { return client_.get("/count").status == 200; })) << "it serves again by itself";
}

TEST_F(DeadlineTest, a_server_with_a_stuck_call_ends_when_it_is_asked_to) {
  ASSERT_TRUE(deploy(client_, slow_module_with(300)).deployed());
  EXPECT_EQ(client_.get("/stuck").status, 504);
  EXPECT_TRUE(server_.stop());
}

TEST_F(DeadlineTest, a_server_with_loops_without_end_serves_others_and_ends_when_it_is_asked_to) {
  ASSERT_TRUE(deploy(client_, slow_module_with(1000)).deployed());
  RawClient one(server_.port()), other(server_.port());
  for (RawClient* const client : {&one, &other}) {
    ASSERT_TRUE(client->send(get_request("/loop")));
    EXPECT_EQ(server_.next_event(), "looping");
  }
  EXPECT_EQ(client_.get("/count").body, "count 1");
  server_.terminate();
  for (RawClient* const client : {&one, &other}) EXPECT_EQ(client->read_response().status, 504);
  EXPECT_TRUE(server_.stop());
}

TEST_F(DeadlineTest, a_client_that_leaves_during_a_call_without_end_leaves_nothing_behind) {
  ASSERT_TRUE(deploy(client_, slow_module_with(300)).deployed());
  for (const char* const path : {"/loop", "/stuck"}) {
    RawClient client(server_.port());
    ASSERT_TRUE(client.send(get_request(path)));
    EXPECT_EQ(server_.next_event(), std::string(path) == "/stuck" ? "stuck" : "looping");
    client.reset_connection();
  }
  EXPECT_TRUE(eventually([&] { return module_status(client_, "slow").value("faults", 0) == 2; }));
  server_.open_gate();
  EXPECT_EQ(client_.get("/count").body, "count 1");
}

}  // namespace
}  // namespace cweb::e2e
