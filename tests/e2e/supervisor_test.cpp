// A server process that dies is replaced, on the same sockets and with the same modules, and its parent is small,
// silent and in nobody's way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"
#include "supervised_server.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(SupervisorTest, the_ready_line_names_both_processes_and_comes_once) {
  SupervisedServer server;
  const auto ready = nlohmann::json::parse(server.ready_line(), nullptr, false);
  EXPECT_EQ(ready.value("supervisor", 0), server.pid());
  EXPECT_EQ(ready.value("pid", 0), server.serving());
  EXPECT_NE(server.serving(), server.pid());
  server.kill_serving();
  EXPECT_NE(ready.value("pid", 0), server.serving());
}

TEST(SupervisorTest, without_it_there_is_one_process) {
  ServerProcess server;
  const auto ready = nlohmann::json::parse(server.ready_line(), nullptr, false);
  EXPECT_FALSE(ready.contains("supervisor"));
  EXPECT_EQ(ready.value("pid", 0), server.pid());
}

TEST(SupervisorTest, all_modules_are_there_again_as_they_were) {
  SupervisedServer server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, counting_module("counter", "/count")).deployed());
  ASSERT_TRUE(deploy(client, answering_module("page", "/page", "first")).deployed());
  ASSERT_TRUE(deploy(client, answering_module("page", "/page", "second")).deployed());
  ASSERT_TRUE(deploy(client, answering_module("gone", "/gone", "gone")).deployed());
  ASSERT_EQ(client.send("DELETE", "/mgnt/modules/gone").status, 200);
  EXPECT_EQ(client.get("/count").body, "count 1");
  EXPECT_EQ(client.get("/count").body, "count 2");
  const auto before = nlohmann::json::parse(client.get("/mgnt").body)["modules"];

  for (int i = 0; i < 3; ++i) {
    server.kill_serving();
    HttpClient again(server.port());
    EXPECT_EQ(again.get("/page").body, "second");
    EXPECT_EQ(again.get("/count").body, "count 1") << "its variables are as at a deploy";
    EXPECT_EQ(again.get("/gone").status, 404);
    auto after = nlohmann::json::parse(again.get("/mgnt").body)["modules"];
    ASSERT_EQ(after.size(), 2U);
    for (size_t at = 0; at < after.size(); ++at) {
      for (const char* member : {"name", "hash", "version", "state", "routes", "deployed_at"}) {
        EXPECT_EQ(after[at][member], before[at][member]) << member;
      }
    }
  }
  HttpClient last(server.port());
  EXPECT_EQ(last.get("/mgnt/modules/page/source").body, answering_module("page", "/page", "second"));
  EXPECT_EQ(deploy(last, answering_module("page", "/page", "second")).outcome(), "unchanged");
  const DeployAnswer next = deploy(last, answering_module("page", "/page", "third"));
  EXPECT_TRUE(next.deployed()) << next;
  EXPECT_EQ(next.version(), 3U);
  EXPECT_EQ(count_of(server.log(), "died of SIGKILL; a new one is started"), 3U);
}

TEST(SupervisorTest, nobody_is_refused_while_the_process_is_replaced) {
  SupervisedServer server({"--threads", "2"});
  ASSERT_TRUE(deploy(server.port(), answering_module("page", "/page", "here")).deployed());
  std::atomic<bool> stop{false};
  std::atomic<int> connected{0}, refused{0}, answered{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!stop) {
        HttpClient client(server.port());
        const HttpResponse response = client.get("/page");
        ++connected;
        refused += response.status == 0 && response.error.find("onnect") != std::string::npos ? 1 : 0;
        answered += response.status == 200 && response.body == "here" ? 1 : 0;
        if (response.status != 0) {
          EXPECT_EQ(response.status, 200);
        }
      }
    });
  }
  for (int i = 0; i < 4; ++i) {
    const int before = answered;
    EXPECT_TRUE(eventually([&] { return answered > before + 20; }));
    server.kill_serving();
  }
  stop = true;
  clients.clear();
  EXPECT_EQ(refused, 0) << "of " << connected;
  EXPECT_GT(answered, 80);
  // Those that a process was answering when it died: four clients, four deaths.
  EXPECT_LE(connected - answered, 16);
}

TEST(SupervisorTest, a_websocket_is_closed_and_may_come_back) {
  SupervisedServer server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, read_project_file("modules/echo.c")).deployed());
  const auto paths = module_status(client, "echo")["websockets"];
  ASSERT_FALSE(paths.empty());
  const std::string path = paths[0]["path"];
  WebSocketClient socket(server.port(), path);
  socket.send_text("before");
  ASSERT_TRUE(socket.read_frame());
  server.kill_serving();
  socket.raw().read_to_end();
  WebSocketClient again(server.port(), path);
  again.send_text("after");
  EXPECT_TRUE(again.read_frame());
}

TEST(SupervisorTest, sigterm_ends_both_with_success) {
  SupervisedServer server;
  const pid_t serving = server.serving();
  EXPECT_TRUE(server.stop());
  EXPECT_TRUE(server.is_gone(serving));
  EXPECT_THAT(server.log(), Not(HasSubstr("died")));
}

TEST(SupervisorTest, a_second_sigint_does_not_wait_for_what_is_running) {
  SupervisedServer server;
  const std::string waiting = fill_in(
      "#include <cweb.h>\n#include <unistd.h>\n"
      "static int wait(struct http_request *req, struct http_response *res) {\n"
      "    char byte;\n"
      "    if (write(@EVENTS@, \"entered\\n\", 8) < 0) return -1;\n"
      "    return read(@GATE@, &byte, 1) == 1 ? 0 : -1;\n"
      "}\n"
      "export module_t config = {.name = \"waiting\", .routes = {{\"/wait\", \"GET\", wait, NONE}}, .size = 1};\n",
      {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});
  ASSERT_TRUE(deploy(server.port(), waiting).deployed());
  RawClient client(server.port()), idle(server.port());
  ASSERT_TRUE(client.send(get_request("/wait")));
  ASSERT_EQ(server.next_event(), "entered");
  ASSERT_EQ(idle.exchange(get_request("/mgnt/health")).status, 200);
  const pid_t serving = server.serving();
  server.expect_no_clean_end();
  kill(server.pid(), SIGINT);
  EXPECT_TRUE(idle.ends());
  EXPECT_EQ(kill(serving, 0), 0) << "it waits for the request";
  // Until the process has come to waiting for its end, a second signal is the same as the first.
  EXPECT_TRUE(eventually(
      [&] {
        kill(server.pid(), SIGINT);
        return kill(serving, 0) != 0;
      },
      std::chrono::seconds(5)));
  EXPECT_FALSE(server.stop()) << "exit code 130";
  EXPECT_THAT(server.log(), Not(HasSubstr("a new one is started")));
}

TEST(SupervisorTest, sighup_reaches_the_process_that_serves) {
  const std::string path = testing::TempDir() + "cweb_supervised_log_" + std::to_string(getpid());
  {
    SupervisedServer server({"--access-log", path});
    EXPECT_EQ(RawClient(server.port()).exchange(get_request("/before")).status, 404);
    EXPECT_TRUE(eventually([&] { return file_text(path).find("/before") != std::string::npos; }));
    std::filesystem::rename(path, path + ".1");
    kill(server.pid(), SIGHUP);
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path); }));
  }
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".1");
}

TEST(SupervisorTest, a_parent_that_is_killed_takes_the_server_with_it) {
  SupervisedServer server;
  const pid_t serving = server.serving();
  const std::vector<pid_t> helpers = children_of(serving);
  server.expect_no_clean_end();
  kill(server.pid(), SIGKILL);
  EXPECT_FALSE(server.stop());
  EXPECT_TRUE(server.is_gone(serving));
  for (const pid_t helper : helpers) EXPECT_TRUE(server.is_gone(helper));
}

TEST(SupervisorTest, a_wrong_command_line_is_said_once_with_its_exit_code) {
  const Finished key = run_program({cweb_binary(), "serve", "--port", "0", "--production"});
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_EQ(count_of(key.err, "production needs an admin key"), 1U) << key.err;
  EXPECT_EQ(count_of(key.err, "\n"), 1U) << key.err;
  const Finished log = run_program({cweb_binary(), "serve", "--port", "0", "--access-log", "/no/such/folder/log"});
  EXPECT_EQ(log.exit_code, 1);
  EXPECT_EQ(count_of(log.err, "/no/such/folder/log"), 1U) << log.err;
  EXPECT_THAT(log.err, Not(HasSubstr("died")));
}

TEST(SupervisorTest, the_key_outlives_the_process_and_nobody_finds_it_in_the_parent) {
  const std::string key = "e2e-key-of-forty-characters-0123456789ab";
  SupervisedServer server({}, {"CWEB_ADMIN_KEY=" + key});
  server.kill_serving();
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/mgnt").status, 401);
  EXPECT_EQ(client.get("/mgnt", {{"X-API-Key", key}}).status, 200);
  for (const pid_t process : {server.pid(), server.serving()}) {
    const std::string variables = file_text("/proc/" + std::to_string(process) + "/environ");
    EXPECT_THAT(variables, Not(HasSubstr(key)));
  }
}

TEST(SupervisorTest, the_parent_has_one_thread_and_its_memory_does_not_grow) {
  // The address sanitizer would go through ever new memory for the variables of functions that may have returned.
  SupervisedServer server({}, {"ASAN_OPTIONS=detect_stack_use_after_return=0"});
  ASSERT_TRUE(deploy(server.port(), answering_module("page", "/page", "here")).deployed());
  // Everything has been done once by then: the first restart is at once, those that follow it wait a little.
  for (int i = 0; i < 3; ++i) server.kill_serving();
  const ProcessFacts before = facts_of(server.pid());
  EXPECT_EQ(before.threads, 1);
  for (int i = 0; i < repetitions(20, 5); ++i) server.kill_serving();
  const ProcessFacts after = facts_of(server.pid());
  EXPECT_EQ(after.threads, 1);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.mappings, before.mappings);
  EXPECT_LE(after.resident_kb, before.resident_kb + 64);
  EXPECT_EQ(HttpClient(server.port()).get("/page").body, "here");
  EXPECT_TRUE(zombies_of(server.pid()).empty());
}

}  // namespace
}  // namespace cweb::e2e
