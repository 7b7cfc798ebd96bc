// Faults by the thousand, at the same time, and while the same module is being deployed: nothing of them stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"
#include "steady_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

constexpr int settled = repetitions(200, 60);
constexpr int faults = repetitions(1'000, 180);

/// One fault in its own code, one in a library, whose thread has to go.
const std::string crashing_module = R"(#include <cweb.h>

static int *volatile nothing;
static const char *volatile bad_text = (const char *)0x10;
static _Thread_local int calls;
static char *kept;

static void load(void) {
    kept = malloc(100000);
    memset(kept, 1, 100000);
}

static int crash(struct http_request *req, struct http_response *res) {
    char *lost = malloc(1000);
    memset(lost, ++calls, 1000);
    return *nothing; /* here */
}

static int crash_inside(struct http_request *req, struct http_response *res) {
    return snprintf(res->body, HTTP_RESPONSE_SIZE, "%s %d", bad_text, ++calls);
}

export module_t config = {
    .name = "crashing",
    .routes = {{"/crash", "GET", crash, NONE}, {"/inside", "GET", crash_inside, NONE}},
    .size = 2,
    .onload = load,
};
)";

class FaultEnduranceTest : public testing::Test {
 protected:
  ProcessFacts facts_at_rest() {
    EXPECT_TRUE(eventually([&] { return draining_versions(client_, "crashing") == 0; }));
    return facts_of(server_.pid());
  }
  void fault_up_to(int count) {
    for (; done_ < count && !HasFailure(); ++done_) {
      const HttpResponse response = client_.get(done_ % 2 == 0 ? "/crash" : "/inside");
      ASSERT_EQ(response.status, 500) << response.error << " at the " << done_ << "th";
    }
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1", "--fault-limit", "0"}};
  HttpClient client_{server_.port()};
  int done_ = 0;
};

TEST_F(FaultEnduranceTest, a_thousand_faults_leave_memory_threads_and_mappings_flat) {
  ASSERT_TRUE(deploy(client_, crashing_module).deployed());
  SteadyClient steady(server_.port());
  fault_up_to(settled);
  const ProcessFacts before = facts_at_rest();
  fault_up_to(faults);
  const ProcessFacts after = facts_at_rest();
  constexpr int further = faults - settled;
  EXPECT_LT(after.mappings, before.mappings + further / 4);
  EXPECT_LE(after.descriptors, before.descriptors + 4);
  EXPECT_LE(after.threads, before.threads + 4);
  // A kept instance has 100 KiB of heap. The log of events fills meanwhile: it has a thousand. The sanitizers keep
  // freed memory back by design.
  if (!sanitized) {
    EXPECT_LT(after.resident_kb, before.resident_kb + further * 5);
  }
  EXPECT_EQ(module_status(client_, "crashing").value("faults", 0), faults);
  steady.wait_for_answers(3);
}

TEST_F(FaultEnduranceTest, faults_of_many_clients_at_once_are_each_answered) {
  ASSERT_TRUE(deploy(client_, crashing_module).deployed());
  SteadyClient steady(server_.port());
  constexpr int clients = 8;
  constexpr int each = repetitions(50, 10);
  std::vector<std::thread> threads;
  std::vector<int> answered(clients, 0);
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(server_.port());
      for (int n = 0; n < each; ++n) {
        const HttpResponse response = client.get(n % 2 == 0 ? "/crash" : "/inside");
        if (response.status == 500 && response.body.find("(SIGSEGV)") != std::string::npos)
          ++answered[static_cast<size_t>(i)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, std::vector<int>(clients, each));
  EXPECT_EQ(module_status(client_, "crashing").value("faults", 0), clients * each);
  EXPECT_EQ(client_.get("/crash").status, 500) << "a fresh instance answers";
  facts_at_rest();
}

TEST_F(FaultEnduranceTest, two_calls_of_one_module_that_fault_at_the_same_time_are_both_answered) {
  const std::string source = fill_in(R"(#include <cweb.h>
#include <unistd.h>
static int *volatile nothing;
static int crash(struct http_request *req, struct http_response *res) {
    char byte;
    dprintf(@EVENTS@, "inside\n");
    if (read(@GATE@, &byte, 1) != 1) return -1;
    return *nothing; /* here */
}
export module_t config = {.name = "crashing", .routes = {{"/crash", "GET", crash, NONE}}, .size = 1};
)",
                                     {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});
  ASSERT_TRUE(deploy(client_, source).deployed());
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(server_.port());
    ASSERT_TRUE(clients.back().send(get_request("/crash")));
    ASSERT_EQ(server_.next_event(), "inside");
  }
  server_.open_gate(clients.size());
  int restarts = 0;
  for (RawClient& client : clients) {
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(response.body, HasSubstr(marked_place(source)));
    restarts += response.body.find("a fresh instance answers, ") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(restarts, 1) << "one instance faulted, one fresh one was needed";
  facts_at_rest();
}

TEST_F(FaultEnduranceTest, a_fault_during_a_slow_deploy_of_its_module_is_answered_before_the_deploy_ends) {
  ASSERT_TRUE(deploy(client_, crashing_module).deployed());
  const std::string slow = fill_in(R"(#include <cweb.h>
#include <unistd.h>
static void load(void) {
    char byte;
    dprintf(@EVENTS@, "loading\n");
    if (read(@GATE@, &byte, 1) != 1) return;
}
static int answer(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "the new version");
    return 0;
}
export module_t config = {
    .name = "crashing", .routes = {{"/crash", "GET", answer, NONE}}, .size = 1, .onload = load};
)",
                                   {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});
  DeployAnswer deployed;
  std::thread deploying([&] { deployed = deploy(server_.port(), slow); });
  EXPECT_EQ(server_.next_event(), "loading");
  const HttpResponse response = client_.get("/crash");
  EXPECT_EQ(response.status, 500) << response.error;
  EXPECT_THAT(response.body, HasSubstr("after the deploy that is under way"));
  server_.open_gate();
  deploying.join();
  EXPECT_TRUE(deployed.deployed()) << deployed;
  EXPECT_EQ(client_.get("/crash").body, "the new version");
  facts_at_rest();
}

}  // namespace
}  // namespace cweb::e2e
