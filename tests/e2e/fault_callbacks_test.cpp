// Faults where no request waits for an answer: at deploy and at the end of a version, in the callbacks of a socket, in
// a thread that the module started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "server_process.h"
#include "steady_client.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class FaultCallbacksTest : public testing::Test {
 protected:
  void expect_in_log(const std::string& text) {
    EXPECT_TRUE(eventually([&] { return server_.log().find(text) != std::string::npos; }))
        << "the log does not say: " << text;
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1"}};
  HttpClient client_{server_.port()};
};

// ---- the beginning and the end of a version

/// `code` has the functions `load` and `end`.
std::string loading_module(const std::string& code) {
  return fill_in(R"(#include <cweb.h>

static int *volatile nothing;
@CODE@

static int answer(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "answered");
    return 0;
}

export module_t config = {
    .name = "loading",
    .routes = {{"/loading", "GET", answer, NONE}},
    .size = 1,
    .onload = load,
    .unload = end,
};
)",
                 {{"CODE", code}});
}

const std::string sound_module = loading_module("static void load(void) {}\nstatic void end(void) {}");

TEST_F(FaultCallbacksTest, a_fault_in_onload_fails_the_deploy_with_its_line_and_what_ran_goes_on) {
  ASSERT_TRUE(deploy(client_, sound_module).deployed());
  const std::string source =
      loading_module("static void load(void) {\n    *nothing = 1; /* here */\n}\nstatic void end(void) {}");
  const DeployAnswer answer = deploy(client_, source);
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_EQ(answer.stage(), "onload");
  EXPECT_THAT(answer.error(), AllOf(HasSubstr("null pointer: write to address 0"), HasSubstr(marked_place(source))));
  EXPECT_EQ(answer.report.value("keeps_serving", ""), "loading, version 1") << answer;
  EXPECT_EQ(client_.get("/loading").body, "answered");
  EXPECT_EQ(module_status(client_, "loading").value("state", ""), "live");
}

TEST_F(FaultCallbacksTest, a_fault_in_a_constructor_fails_the_deploy_with_its_line) {
  const std::string source = loading_module(
      "__attribute__((constructor)) static void construct(void) {\n    *nothing = 1; /* here */\n}\n"
      "static void load(void) {}\nstatic void end(void) {}");
  const DeployAnswer answer = deploy(client_, source);
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_THAT(answer.error(), HasSubstr(marked_place(source)));
  EXPECT_EQ(client_.get("/loading").status, 404);
}

TEST_F(FaultCallbacksTest, an_onload_without_end_fails_the_deploy_after_ten_seconds) {
  client_.set_time(patience + std::chrono::seconds(15));
  const std::string source = loading_module(
      "static void load(void) {\n    for (;;) *(volatile int *)&nothing = 0; /* here */\n}\nstatic void end(void) {}");
  const DeployAnswer answer = deploy(client_, source);
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_THAT(answer.error(), AllOf(HasSubstr("deadline of 10 s"), HasSubstr(marked_place(source))));
}

TEST_F(FaultCallbacksTest, a_version_whose_unload_faults_is_retired_all_the_same) {
  const std::string source =
      loading_module("static void load(void) {}\nstatic void end(void) {\n    *nothing = 1; /* here */\n}");
  ASSERT_TRUE(deploy(client_, source).deployed());
  ASSERT_TRUE(deploy(client_, sound_module).deployed());
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "loading") == 0; }));
  expect_in_log("during unload");
  EXPECT_THAT(server_.log(), HasSubstr(marked_place(source) + ":"));
  const auto status = module_status(client_, "loading");
  EXPECT_EQ(status.value("version", 0), 2);
  EXPECT_EQ(client_.get("/loading").body, "answered");
}

// ---- sockets

/// The parameter "crash" names the callback that faults; the messages "loop" and "lock" take too long. Others are
/// echoed.
const std::string crashing_socket = R"(#include <cweb.h>
#include <pthread.h>

static int *volatile nothing;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void maybe_crash(struct websocket *ws, const char *callback) {
    const char *wanted = cweb_ws_param(ws, "crash");
    if (wanted && !strcmp(wanted, callback)) *nothing = 1; /* here */
}

static void on_open(struct websocket *ws) { maybe_crash(ws, "on_open"); }
static void on_close(struct websocket *ws) { maybe_crash(ws, "on_close"); }

static void on_message(struct websocket *ws, const char *message, size_t length) {
    maybe_crash(ws, "on_message");
    while (!strcmp(message, "loop")) nothing = NULL;
    if (!strcmp(message, "lock")) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_lock(&mutex);
    }
    if (!strcmp(message, "free")) free((void *)message);
    if (!strcmp(message, "free socket")) free(ws);
    ws->send(ws, message, length);
}

export module_t config = {
    .name = "crashing",
    .websockets = {{"/socket", on_open, on_message, on_close}},
    .ws_size = 1,
    .deadline_ms = 500,
};
)";

TEST_F(FaultCallbacksTest, a_socket_whose_on_message_faults_is_closed_and_others_go_on) {
  ASSERT_TRUE(deploy(client_, crashing_socket).deployed());
  WebSocketClient other(server_.port(), "/socket");
  WebSocketClient crashing(server_.port(), "/socket?crash=on_message");
  EXPECT_EQ(other.exchange("before"), "before");
  ASSERT_TRUE(crashing.send_text("the message"));
  const CloseSeen seen = crashing.read_close();
  EXPECT_EQ(seen.code, 1011);
  EXPECT_THAT(seen.reason, StartsWith("the module has failed: fault "));
  EXPECT_EQ(other.exchange("after"), "after");
  const auto faults = module_status(client_, "crashing").value("recent_faults", nlohmann::json::array());
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].value("line", 0U), marked_line(crashing_socket));
  EXPECT_EQ(faults[0].value("call", ""), "on_message of WebSocket /socket");
  EXPECT_EQ(faults[0].value("request", ""), "text message, 11 bytes\nthe message\n");
  EXPECT_THAT(seen.reason, HasSubstr(faults[0].value("id", "?")));
}

TEST_F(FaultCallbacksTest, a_socket_that_frees_what_it_was_shown_is_closed_and_others_go_on) {
  ASSERT_TRUE(deploy(client_, crashing_socket).deployed());
  WebSocketClient other(server_.port(), "/socket");
  for (const char* const what : {"free", "free socket"}) {
    WebSocketClient crashing(server_.port(), "/socket");
    ASSERT_TRUE(crashing.send_text(what));
    EXPECT_EQ(crashing.read_close().code, 1011);
    EXPECT_EQ(other.exchange(what + std::string(" it")), what + std::string(" it"));
  }
  expect_in_log("free() was given memory of the request, the response or the message, which is cweb's");
}

TEST_F(FaultCallbacksTest, a_socket_whose_on_open_faults_is_closed_and_others_go_on) {
  ASSERT_TRUE(deploy(client_, crashing_socket).deployed());
  WebSocketClient other(server_.port(), "/socket");
  WebSocketClient crashing(server_.port(), "/socket?crash=on_open");
  EXPECT_EQ(crashing.read_close().code, 1011);
  EXPECT_EQ(other.exchange("after"), "after");
  expect_in_log("during on_open of WebSocket /socket");
}

TEST_F(FaultCallbacksTest, a_fault_in_on_close_is_logged_and_other_sockets_go_on) {
  ASSERT_TRUE(deploy(client_, crashing_socket).deployed());
  WebSocketClient other(server_.port(), "/socket");
  WebSocketClient crashing(server_.port(), "/socket?crash=on_close");
  EXPECT_EQ(crashing.exchange("fine so far"), "fine so far");
  crashing.close();
  expect_in_log("during on_close of WebSocket /socket");
  EXPECT_EQ(other.exchange("after"), "after");
}

TEST_F(FaultCallbacksTest, a_socket_whose_message_takes_too_long_is_closed_and_others_go_on) {
  ASSERT_TRUE(deploy(client_, crashing_socket).deployed());
  SteadyClient steady(server_.port());
  for (const std::string message : {"loop", "lock"}) {
    SCOPED_TRACE(message);
    WebSocketClient other(server_.port(), "/socket");
    WebSocketClient slow(server_.port(), "/socket");
    ASSERT_TRUE(slow.send_text(message));
    EXPECT_EQ(slow.read_close().code, 1011);
    EXPECT_EQ(other.exchange("after"), "after");
  }
  EXPECT_EQ(module_status(client_, "crashing").value("faults", 0), 2);
}

TEST_F(FaultCallbacksTest, sockets_of_a_quarantined_module_are_refused_until_its_restart) {
  ASSERT_TRUE(deploy(client_, crashing_socket).deployed());
  WebSocketClient open(server_.port(), "/socket");
  WebSocketClient silent(server_.port(), "/socket");
  for (int i = 0; i < 6; ++i) {
    WebSocketClient crashing(server_.port(), "/socket?crash=on_open");
    EXPECT_EQ(crashing.read_close().code, 1011);
  }
  EXPECT_EQ(module_status(client_, "crashing").value("state", ""), "quarantined");
  RawClient refused(server_.port());
  EXPECT_EQ(refused.exchange(websocket_handshake("/socket")).status, 503);
  ASSERT_TRUE(open.send_text("anybody there?"));
  EXPECT_EQ(open.read_close().code, 1013);
  EXPECT_EQ(client_.post("/mgnt/modules/crashing/restart", "").status, 200);
  WebSocketClient again(server_.port(), "/socket");
  EXPECT_EQ(again.exchange("here"), "here");
  EXPECT_EQ(silent.exchange("still here"), "still here");
}

// ---- a thread of the module's own

const std::string threaded_module = R"(#include <cweb.h>
#include <pthread.h>

static int calls;
static int *volatile nothing;

static void *work(void *unused) {
    *nothing = 1; /* here */
    return unused;
}

static int start(struct http_request *req, struct http_response *res) {
    pthread_t thread;
    ++calls;
    if (pthread_create(&thread, NULL, work, NULL) != 0) return -1;
    pthread_detach(thread);
    return 0;
}

static int count(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "count %d", calls);
    return 0;
}

export module_t config = {
    .name = "threaded", .routes = {{"/start", "GET", start, NONE}, {"/count", "GET", count, NONE}}, .size = 2};
)";

TEST_F(FaultCallbacksTest, a_fault_in_a_thread_of_the_modules_own_ends_the_thread_and_a_fresh_instance_answers) {
  ASSERT_TRUE(deploy(client_, threaded_module).deployed());
  SteadyClient steady(server_.port());
  EXPECT_EQ(client_.get("/start").status, 200);
  EXPECT_TRUE(eventually([&] { return client_.get("/count").body == "count 0"; })) << "no fresh instance answers";
  EXPECT_TRUE(eventually([&] { return module_status(client_, "threaded").value("faults", 0) == 1; }));
  const auto report = module_status(client_, "threaded")["recent_faults"][0];
  EXPECT_EQ(report.value("call", ""), "a thread of its own");
  EXPECT_EQ(report.value("function", ""), "work");
  EXPECT_EQ(report.value("line", 0U), marked_line(threaded_module));
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "threaded") == 0; }));
}

/// What a thread has under a key is ended by the module's own function.
const std::string keeping_module = fill_in(R"(#include <cweb.h>
#include <pthread.h>

static pthread_key_t key;
static int *volatile nothing;

static void end(void *value) {
    dprintf(@EVENTS@, "ended %s\n", (const char *)value);
    if (!strcmp(value, "crash")) *nothing = 1; /* here */
}

static void *work(void *value) {
    pthread_setspecific(key, value);
    if (!strcmp(value, "exit")) pthread_exit(NULL);
    return NULL;
}

static int start(struct http_request *req, struct http_response *res) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, map_get(req->params, "value")) != 0) return -1;
    pthread_join(thread, NULL);
    return 0;
}

/* On a thread of the server's, which ends after the fault because that was inside a library. */
static int lose(struct http_request *req, struct http_response *res) {
    pthread_setspecific(key, "crash");
    return snprintf(res->body, HTTP_RESPONSE_SIZE, "%s %d", (const char *)nothing + 0x10, 1);
}

static void load(void) { pthread_key_create(&key, end); }

export module_t config = {
    .name = "keeping",
    .routes = {{"/start", "GET", start, NONE}, {"/lose", "GET", lose, NONE}},
    .size = 2,
    .onload = load,
};
)",
                                           {{"EVENTS", std::to_string(events_fd)}});

TEST_F(FaultCallbacksTest, what_a_modules_thread_keeps_is_ended_with_it_and_a_fault_in_that_is_the_modules) {
  ASSERT_TRUE(deploy(client_, keeping_module).deployed());
  SteadyClient steady(server_.port());
  for (const std::string value : {"return", "exit", "crash"}) {
    EXPECT_EQ(client_.get("/start?value=" + value).status, 200);
    EXPECT_EQ(server_.next_event(), "ended " + value);
  }
  EXPECT_TRUE(eventually([&] { return module_status(client_, "keeping").value("faults", 0) == 1; }));
  EXPECT_EQ(module_status(client_, "keeping")["recent_faults"][0].value("line", 0U), marked_line(keeping_module));
  EXPECT_EQ(client_.get("/lose").status, 500);
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "keeping") == 0; }));
  steady.wait_for_answers(10);
}

}  // namespace
}  // namespace cweb::e2e
