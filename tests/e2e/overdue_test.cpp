// Calls that cannot be ended and that no client waits for: constructors, onload, unload, and callbacks of sockets.
// Their line is told all the same, and their threads are counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "prometheus_text.h"
#include "server_process.h"
#include "steady_client.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// `code` has the callbacks that `config` names; `get_stuck` returns when the gate opens.
std::string stuck_module(const std::string& name, const std::string& code, const std::string& config) {
  return fill_in(R"(#include <cweb.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int *volatile nothing;

static void *wait_for_gate(void *unused) {
    char byte;
    if (read(@GATE@, &byte, 1) == 1) pthread_mutex_unlock(&mutex);
    return unused;
}

static void take_lock(void) {
    pthread_t thread;
    pthread_mutex_lock(&mutex);
    if (pthread_create(&thread, NULL, wait_for_gate, NULL) == 0) pthread_detach(thread);
}

@CODE@

static int answer(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "answered");
    return 0;
}

export module_t config = {
    .name = "@NAME@",
    @CONFIG@
};
)",
                 {{"GATE", std::to_string(gate_fd)}, {"CODE", code}, {"CONFIG", config}, {"NAME", name}});
}

class OverdueTest : public testing::Test {
 protected:
  double metric(const std::string& name, const LabelMap& labels) {
    return PrometheusText(client_.get("/mgnt/metrics").body).sum(name, labels);
  }
  void expect_in_log(const std::string& text) {
    EXPECT_TRUE(eventually([&] { return server_.log().find(text) != std::string::npos; }))
        << "the log does not say: " << text;
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1", "--fault-limit", "0"}};
  HttpClient client_{server_.port()};
};

// ---- at deploy

DeployAnswer deploy_patiently(uint16_t port, const std::string& source) {
  HttpClient client(port);
  client.set_time(patience + std::chrono::seconds(15));
  return deploy(client, source);
}

TEST_F(OverdueTest, an_onload_and_a_constructor_that_cannot_be_ended_fail_the_deploy_with_their_line) {
  const std::string locks = "    take_lock();\n    pthread_mutex_lock(&mutex); /* here */\n}";
  const std::string loading =
      stuck_module("loading", "static void load(void) {\n" + locks,
                   ".routes = {{\"/loading\", \"GET\", answer, NONE}}, .size = 1, .onload = load,");
  const std::string constructed =
      stuck_module("constructed", "__attribute__((constructor)) static void construct(void) {\n" + locks,
                   ".routes = {{\"/constructed\", \"GET\", answer, NONE}}, .size = 1,");
  auto other = std::async(std::launch::async, deploy_patiently, server_.port(), constructed);
  const DeployAnswer onload = deploy_patiently(server_.port(), loading);
  const DeployAnswer constructor = other.get();
  for (const DeployAnswer* const answer : {&onload, &constructor}) {
    EXPECT_EQ(answer->status, 422) << *answer;
    EXPECT_EQ(answer->stage(), "onload");
  }
  EXPECT_THAT(onload.error(), AllOf(HasSubstr("onload did not return within 10 s"), HasSubstr(marked_place(loading))));
  EXPECT_THAT(constructor.error(),
              AllOf(HasSubstr("a constructor did not return within 10 s"), HasSubstr(marked_place(constructed))));
  EXPECT_THAT(server_.log(),
              AllOf(HasSubstr("during onload"), HasSubstr("during a constructor"), HasSubstr("in module constructed")));
  EXPECT_EQ(client_.get("/loading").status, 404);
  server_.open_gate(2);
}

// ---- at the end of a version

const std::string ending_module =
    stuck_module("ending", R"(
static int crash(struct http_request *req, struct http_response *res) {
    take_lock();
    return *nothing;
}
static void end(void) {
    pthread_mutex_lock(&mutex); /* here */
    pthread_mutex_unlock(&mutex);
})",
                 R"(.routes = {{"/crash", "GET", crash, NONE}, {"/answer", "GET", answer, NONE}},
    .size = 2,
    .unload = end,)");

TEST_F(OverdueTest, the_unload_of_a_version_that_faulted_gets_a_second_and_is_reported_with_its_line_and_counted) {
  ASSERT_TRUE(deploy(client_, ending_module).deployed());
  EXPECT_EQ(client_.get("/crash").status, 500);
  expect_in_log("unload has not returned");
  EXPECT_THAT(server_.log(),
              AllOf(HasSubstr("deadline of 1 s at " + marked_place(ending_module)), HasSubstr("during unload")));
  EXPECT_EQ(metric("cweb_module_detached_calls", {{"module", "ending"}}), 1);
  EXPECT_EQ(metric("cweb_module_stuck_calls", {{"module", "ending"}}), 1);
  EXPECT_EQ(client_.get("/answer").body, "answered");
  server_.open_gate();
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "ending") == 0; }));
  EXPECT_TRUE(eventually([&] { return metric("cweb_module_stuck_calls", {{"module", "ending"}}) == 0; }));
  EXPECT_EQ(module_status(client_, "ending").value("faults", 0), 2) << "when it returns it is not told of once more";
}

TEST_F(OverdueTest, unloads_that_wait_for_the_lock_of_a_faulted_call_fill_the_share_and_no_more) {
  constexpr int share = 64;
  ASSERT_TRUE(deploy(client_, ending_module).deployed());
  SteadyClient steady(server_.port());
  int crashes = 0;
  while (crashes < 4 * share && client_.get("/crash").status == 500) ++crashes;
  EXPECT_GE(crashes, share);
  EXPECT_LT(crashes, 2 * share) << "those of a few may not have begun yet";
  EXPECT_EQ(client_.get("/answer").status, 503);
  EXPECT_TRUE(eventually(
      [&] { return client_.get("/answer").body.find("64 calls of this module are stuck") != std::string::npos; }));
  EXPECT_EQ(metric("cweb_module_detached_calls", {{"module", "ending"}}), share) << "the others wait for their turn";
  EXPECT_LE(metric("cweb_threads", {}), share + 16);
  server_.open_gate(static_cast<size_t>(crashes));
  EXPECT_TRUE(eventually([&] { return client_.get("/answer").body == "answered"; })) << "it serves again by itself";
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "ending") == 0; })) << "an unload was forgotten";
  steady.wait_for_answers(10);
}

// ---- sockets

TEST_F(OverdueTest, the_report_of_a_stuck_callback_names_it_and_shows_its_message) {
  const std::string source = stuck_module("talking", R"(
static void hear(struct websocket *socket, const char *message, size_t length) {
    take_lock();
    pthread_mutex_lock(&mutex); /* here */
})",
                                          R"(.websockets = {{"/talk", NULL, hear, NULL}},
    .ws_size = 1,
    .deadline_ms = 100,)");
  ASSERT_TRUE(deploy(client_, source).deployed());
  WebSocketClient socket(server_.port(), "/talk");
  ASSERT_TRUE(socket.send_text("what was said"));
  ASSERT_TRUE(eventually([&] { return module_status(client_, "talking").value("faults", 0) == 1; }));
  const auto report = module_status(client_, "talking")["recent_faults"][0];
  EXPECT_EQ(report.value("call", ""), "on_message of WebSocket /talk");
  EXPECT_THAT(report.value("request", ""), HasSubstr("text message, 13 bytes\nwhat was said"));
  EXPECT_EQ(report.value("line", 0U), marked_line(source));
  server_.open_gate();
}

}  // namespace
}  // namespace cweb::e2e
