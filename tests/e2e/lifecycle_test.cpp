// How the server comes up, and how it ends: what is running is finished, and nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// GET /wait tells the test that it is inside and returns when the test lets it; onload and unload tell too.
const std::string waiting_module = fill_in(R"(#include <cweb.h>
#include <unistd.h>

static void tell(const char *line) {
    if (write(@EVENTS@, line, strlen(line)) < 0) return;
}

static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte;
    tell("entered\n");
    if (read(@GATE@, &byte, 1) != 1) return -1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "waited");
    return 0;
}

static void load(void) { tell("load\n"); }
static void leave(void) { tell("unload\n"); }

export module_t config = {
    .name = "waiting",
    .routes = {{"/wait", "GET", wait_for_gate, NONE}},
    .size = 1,
    .onload = load,
    .unload = leave,
};
)",
                                           {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

TEST(LifecycleTest, the_ready_line_is_json_with_host_port_and_pid) {
  ServerProcess server;
  const auto ready = nlohmann::json::parse(server.ready_line(), nullptr, false);
  EXPECT_EQ(ready.value("host", ""), "127.0.0.1");
  EXPECT_EQ(ready.value("port", 0), server.port());
  EXPECT_EQ(ready.value("pid", 0), server.pid());
  EXPECT_THAT(server.log(), HasSubstr(server.url()));
}

TEST(LifecycleTest, the_first_request_after_the_ready_line_is_answered) {
  ServerProcess server;
  EXPECT_EQ(RawClient(server.port()).exchange(get_request("/mgnt/health")).status, 200);
}

TEST(LifecycleTest, sigterm_ends_an_idle_server_with_success) {
  ServerProcess server;
  RawClient idle(server.port());
  ASSERT_EQ(idle.exchange(get_request("/mgnt/health")).status, 200);
  EXPECT_TRUE(server.stop());
  EXPECT_TRUE(idle.ends()) << "an idle connection is closed";
}

TEST(LifecycleTest, sigint_ends_it_too) {
  ServerProcess server;
  kill(server.pid(), SIGINT);
  server.expect_no_clean_end();  // not asked by SIGTERM
  EXPECT_TRUE(server.stop());
}

TEST(LifecycleTest, sighup_and_sigpipe_do_not_end_it) {
  ServerProcess server;
  kill(server.pid(), SIGHUP);
  kill(server.pid(), SIGPIPE);
  EXPECT_EQ(RawClient(server.port()).exchange(get_request("/mgnt/health")).status, 200);
}

TEST(LifecycleTest, sigterm_finishes_the_request_that_runs_and_runs_unload) {
  ServerProcess server;
  ASSERT_TRUE(deploy(server.port(), waiting_module).deployed());
  ASSERT_EQ(server.next_event(), "load");
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_EQ(server.next_event(), "entered");
  RawClient idle(server.port());
  ASSERT_EQ(idle.exchange(get_request("/mgnt/health")).status, 200);

  server.terminate();
  // That the idle connection ends shows that the server has begun to end: only now may the handler return.
  EXPECT_TRUE(idle.ends());
  server.open_gate();
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "waited");
  EXPECT_EQ(response.header("Connection"), "") << "it was answered before anybody knew of the end";
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(server.stop());
  EXPECT_THAT(server.remaining_events(), ElementsAre("unload"));
}

TEST(LifecycleTest, a_server_that_ends_takes_no_new_connections) {
  ServerProcess server;
  ASSERT_TRUE(deploy(server.port(), waiting_module).deployed());
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get_request("/wait")));
  RawClient idle(server.port());
  ASSERT_EQ(server.next_event(), "load");
  ASSERT_EQ(server.next_event(), "entered");
  ASSERT_EQ(idle.exchange(get_request("/mgnt/health")).status, 200);
  server.terminate();
  EXPECT_TRUE(idle.ends());
  const Finished curl = run_program({"curl", "-sS", "--noproxy", "*", "--max-time", "5", server.url("/mgnt/health")});
  EXPECT_NE(curl.exit_code, 0) << curl.out;
  server.open_gate();
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_TRUE(server.stop());
}

TEST(LifecycleTest, a_handler_that_never_returns_does_not_keep_the_server) {
  ServerProcess server;
  ASSERT_TRUE(deploy(server.port(), waiting_module).deployed());
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_EQ(server.next_event(), "load");
  ASSERT_EQ(server.next_event(), "entered");
  EXPECT_TRUE(server.stop()) << "after its ten seconds it leaves without the handler";
}

TEST(LifecycleTest, no_helper_outlives_the_server) {
  ServerProcess server;
  const std::vector<pid_t> helpers = children_of(server.pid());
  EXPECT_GE(helpers.size(), 1U);
  EXPECT_TRUE(server.stop());
  for (const pid_t helper : helpers) {
    EXPECT_TRUE(eventually([&] { return kill(helper, 0) != 0; })) << "helper " << helper << " is still there";
  }
}

TEST(LifecycleTest, helpers_end_when_the_server_is_killed) {
  ServerProcess server;
  const std::vector<pid_t> helpers = children_of(server.pid());
  EXPECT_GE(helpers.size(), 1U);
  server.expect_no_clean_end();
  kill(server.pid(), SIGKILL);
  EXPECT_FALSE(server.stop());
  for (const pid_t helper : helpers) {
    EXPECT_TRUE(eventually([&] { return processor_ticks_of(helper) < 0 || kill(helper, 0) != 0; }))
        << "helper " << helper << " is still there";
  }
}

TEST(LifecycleTest, compiling_in_process_needs_no_helper) {
  ServerProcess server({"--compile-in-process"});
  EXPECT_TRUE(children_of(server.pid()).empty());
}

TEST(LifecycleTest, a_port_that_is_taken_is_an_error_that_says_so) {
  ServerProcess server;
  const std::string port = std::to_string(server.port());
  const Finished second = run_program({cweb_binary(), "serve", "--port", port});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("127.0.0.1:" + port));
  EXPECT_THAT(second.err, HasSubstr("taken"));
  EXPECT_EQ(RawClient(server.port()).exchange(get_request("/mgnt/health")).status, 200);
}

TEST(LifecycleTest, the_port_is_free_again_at_once) {
  std::string port;
  {
    ServerProcess first;
    port = std::to_string(first.port());
    ASSERT_EQ(RawClient(first.port()).exchange(get_request("/mgnt/health")).status, 200);
  }
  ServerProcess second({"--port", port});
  EXPECT_EQ(std::to_string(second.port()), port);
}

TEST(LifecycleTest, environment_variables_are_options) {
  ServerProcess server({}, {"CWEB_COMPILE_IN_PROCESS=1", "CWEB_MAX_BODY=10"});
  EXPECT_TRUE(children_of(server.pid()).empty());
  const std::string request = request_with_body("POST", "/nowhere", "eleven byte");
  EXPECT_EQ(RawClient(server.port()).exchange(request).status, 413);
}

TEST(LifecycleTest, a_wrong_command_line_is_exit_code_2_and_names_the_fault) {
  const Finished unknown = run_program({cweb_binary(), "serve", "--no-such-option"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("--no-such-option"));
  const Finished port = run_program({cweb_binary(), "serve", "--port", "65536"});
  EXPECT_EQ(port.exit_code, 2);
  EXPECT_THAT(port.err, HasSubstr("--port"));
  const Finished connections = run_program({cweb_binary(), "serve", "--max-connections", "0"});
  EXPECT_EQ(connections.exit_code, 2);
  EXPECT_THAT(connections.err, HasSubstr("--max-connections"));
  EXPECT_EQ(run_program({cweb_binary()}).exit_code, 2);
  const Finished fd = run_program({cweb_binary(), "serve", "--port", "0", "--ready-fd", "77"});
  EXPECT_EQ(fd.exit_code, 2);
  EXPECT_THAT(fd.err, HasSubstr("--ready-fd 77"));
}

TEST(LifecycleTest, help_and_version_are_told_without_serving) {
  const Finished help = run_program({cweb_binary(), "serve", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--compile-in-process"));
  const Finished version = run_program({cweb_binary(), "--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, testing::StartsWith("cweb "));
}

}  // namespace
}  // namespace cweb::e2e
