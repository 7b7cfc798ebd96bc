// Each case that fault_test calls as a handler, called from everywhere else: a socket's callback, onload and unload.
// And how the unload of a version that has faulted ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "server_process.h"
#include "steady_client.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class FaultFramesTest : public testing::Test {
 protected:
  /// The newest report of this module.
  json last_report(const std::string& module) {
    const json status = module_status(client_, module);
    const json reports = status.is_object() ? status.value("recent_faults", json::array()) : json::array();
    return reports.empty() ? json() : reports[0];
  }
  bool eventually_retired(const std::string& module) {
    return eventually([&] { return draining_versions(client_, module) == 0; });
  }
  bool eventually_logged(const std::string& text) {
    return eventually([&] { return server_.log().find(text) != std::string::npos; });
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1"}};
  HttpClient client_{server_.port()};
};

TEST_F(FaultFramesTest, each_case_in_a_callback_closes_its_socket_and_other_sockets_go_on) {
  const std::vector<FaultCase> cases = read_fault_cases(FaultFrame::socket);
  ASSERT_GT(cases.size(), 40U);
  SteadyClient steady(server_.port());
  for (const FaultCase& fault : cases) {
    SCOPED_TRACE(fault.name + ": " + fault.sentence);
    const DeployAnswer deployed = deploy(client_, fault.source);
    ASSERT_TRUE(deployed.deployed()) << deployed;
    WebSocketClient other(server_.port(), "/socket/" + fault.name);
    WebSocketClient failing(server_.port(), "/socket/" + fault.name);
    EXPECT_EQ(other.exchange("count"), "count 1");
    EXPECT_EQ(failing.exchange("count"), "count 2");
    ASSERT_TRUE(failing.send_text("fault"));
    const CloseSeen seen = failing.read_close();
    EXPECT_EQ(seen.code, 1011);
    const json report = last_report(fault.name);
    expect_report(report, fault);
    EXPECT_EQ(seen.reason, "the module has failed: fault " + report.value("id", "?"));
    EXPECT_EQ(other.exchange("count"), "count 1") << "statics are as at deploy";
    EXPECT_EQ(module_status(client_, fault.name).value("state", ""), "live");
    steady.wait_for_answers(3);
    if (HasFatalFailure()) return;
  }
}

/// Deploys the case over a sound version of its module: that fails, names the line, and the sound one goes on.
void expect_refused(HttpClient& client, const FaultCase& fault) {
  const std::string path = "/count/" + fault.name;
  ASSERT_TRUE(deploy(client, counting_module(fault.name, path)).deployed());
  EXPECT_EQ(client.get(path).body, "count 1");
  const DeployAnswer answer = deploy(client, fault.source);
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_EQ(answer.stage(), "onload") << answer;
  EXPECT_THAT(answer.error(), HasSubstr(marked_place(fault.source)));
  for (const std::string& text : fault.says) EXPECT_THAT(answer.error(), HasSubstr(text));
  EXPECT_EQ(answer.report.value("keeps_serving", ""), fault.name + ", version 1") << answer;
  EXPECT_EQ(client.get(path).body, "count 2") << "the version that runs notices nothing";
  const json status = module_status(client, fault.name);
  EXPECT_EQ(status.value("state", ""), "live");
  ASSERT_EQ(status.value("recent_faults", json::array()).size(), 1U);
  EXPECT_EQ(status["recent_faults"][0].value("call", ""), "onload");
  expect_report(status["recent_faults"][0], fault);
}

TEST_F(FaultFramesTest, each_case_in_onload_fails_the_deploy_with_its_line_and_what_ran_goes_on) {
  std::vector<FaultCase> cases = read_fault_cases(FaultFrame::onload);
  std::erase_if(cases, [](const FaultCase& fault) { return fault.is_overdue(); });
  ASSERT_GT(cases.size(), 35U);
  SteadyClient steady(server_.port());
  for (const FaultCase& fault : cases) {
    SCOPED_TRACE(fault.name + ": " + fault.sentence);
    expect_refused(client_, fault);
    steady.wait_for_answers(3);
    if (HasFatalFailure()) return;
  }
}

TEST_F(FaultFramesTest, each_onload_that_takes_too_long_fails_its_deploy_with_its_line_and_what_ran_goes_on) {
  std::vector<FaultCase> cases = read_fault_cases(FaultFrame::onload);
  std::erase_if(cases, [](const FaultCase& fault) { return !fault.is_overdue(); });
  ASSERT_GE(cases.size(), 4U);
  SteadyClient steady(server_.port());
  // At the same time: an onload may take ten seconds, whatever the module says of its calls.
  std::vector<std::thread> threads;
  for (const FaultCase& fault : cases) {
    threads.emplace_back([&] {
      SCOPED_TRACE(fault.name + ": " + fault.sentence);
      HttpClient client(server_.port());
      client.set_time(patience + std::chrono::seconds(15));
      expect_refused(client, fault);
    });
  }
  for (std::thread& thread : threads) thread.join();
  steady.wait_for_answers(3);
}

TEST_F(FaultFramesTest, each_case_in_unload_is_reported_and_its_version_is_retired_all_the_same) {
  const std::vector<FaultCase> cases = read_fault_cases(FaultFrame::unload);
  ASSERT_GT(cases.size(), 40U);
  SteadyClient steady(server_.port());
  for (const FaultCase& fault : cases) {
    SCOPED_TRACE(fault.name + ": " + fault.sentence);
    const std::string path = "/count/" + fault.name;
    const DeployAnswer deployed = deploy(client_, fault.source);
    ASSERT_TRUE(deployed.deployed()) << deployed;
    EXPECT_EQ(client_.get(path).body, "count 1");
    ASSERT_TRUE(deploy(client_, counting_module(fault.name, path)).deployed());
    EXPECT_EQ(client_.get(path).body, "count 1") << "the next version answers";
    EXPECT_TRUE(eventually_retired(fault.name));
    const json report = last_report(fault.name);
    expect_report(report, fault);
    EXPECT_EQ(report.value("call", ""), "unload");
    EXPECT_EQ(report.value("version", 0), 1);
    EXPECT_THAT(server_.log(),
                HasSubstr("fault " + report.value("id", "?") + " in module " + fault.name + ", version 1"));
    EXPECT_EQ(client_.get(path).body, "count 2") << "the version that runs notices nothing";
    EXPECT_EQ(module_status(client_, fault.name).value("state", ""), "live");
    steady.wait_for_answers(3);
    if (HasFatalFailure()) return;
  }
}

// ---- the unload of a version that has faulted

/// A module whose handler faults, and whose unload is `unload`. A call of it has as long as nobody waits for.
std::string faulting_module(const std::string& unload) {
  return fill_in(R"(#include <cweb.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int *volatile nothing;
static volatile int held;

static int fault(struct http_request *req, struct http_response *res) {
    pthread_mutex_lock(&mutex);
    held = 1;
    *nothing = 1; /* fault here */
    return 0;
}

static void end(void) {
@UNLOAD@
}

export module_t config = {
    .name = "ending",
    .routes = {{"/fault", "GET", fault, NONE}},
    .size = 1,
    .unload = end,
    .deadline_ms = 3600000,
};
)",
                 {{"UNLOAD", unload}, {"EVENTS", std::to_string(events_fd)}});
}

TEST_F(FaultFramesTest, a_version_that_has_faulted_is_unloaded_as_any_other) {
  ASSERT_TRUE(deploy(client_, faulting_module(R"(    dprintf(@EVENTS@, "unloaded, held %d\n", held);)")).deployed());
  EXPECT_EQ(client_.get("/fault").status, 500);
  EXPECT_EQ(server_.next_event(), "unloaded, held 1") << "the instance that has faulted, with its statics";
  EXPECT_TRUE(eventually_retired("ending"));
  EXPECT_EQ(module_status(client_, "ending").value("faults", 0), 1);
  ASSERT_EQ(client_.send("DELETE", "/mgnt/modules/ending").status, 200);
  EXPECT_EQ(server_.next_event(), "unloaded, held 0") << "the fresh one, when it ends";
}

TEST_F(FaultFramesTest, the_unload_of_a_version_that_has_faulted_has_one_second) {
  const std::string source = faulting_module(R"(    dprintf(@EVENTS@, "unloading\n");
    while (held) *(volatile int *)&held; /* here */
    dprintf(@EVENTS@, "unloaded\n");)");
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_EQ(client_.get("/fault").status, 500);
  EXPECT_EQ(server_.next_event(), "unloading");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually_logged("deadline of 1 s at " + marked_place(source)));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(took, std::chrono::milliseconds(900));
  EXPECT_LT(took, std::chrono::seconds(3) * slowness);
  EXPECT_THAT(server_.log(), HasSubstr("during unload"));
  EXPECT_TRUE(eventually_retired("ending"));
  EXPECT_EQ(module_status(client_, "ending").value("state", ""), "live");
  EXPECT_EQ(client_.get("/fault").status, 500) << "a fresh instance answers";
}

}  // namespace
}  // namespace cweb::e2e
