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
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A server with a parent.
class SupervisedServer : public ServerProcess {
 public:
  explicit SupervisedServer(std::vector<std::string> options = {}, std::vector<std::string> environment = {})
      : ServerProcess(std::move(options), std::move(environment), Supervision::by_parent) {}

  /// The process that serves; -1 while there is none.
  pid_t serving() const {
    const std::vector<pid_t> children = children_of(pid());
    return children.size() == 1 ? children[0] : -1;
  }
  /// Kills the process that serves, and waits for the next one to answer.
  void kill_serving(int signal_number = SIGKILL) {
    const pid_t before = serving();
    ASSERT_GT(before, 0);
    kill(before, signal_number);
    EXPECT_TRUE(eventually([&] { return serving() > 0 && serving() != before; })) << "nobody took its place";
    EXPECT_EQ(HttpClient(port()).get("/mgnt/health").status, 200);
  }
  /// Has every process of it ended?
  bool is_gone(pid_t process) const {
    return eventually([&] { return kill(process, 0) != 0 || processor_ticks_of(process) < 0; });
  }
};

/// Overwrites memory that is the server's own, far beyond a block that it was given.
constexpr const char* smashing_module = R"(#include <cweb.h>

static unsigned long long state = 88172645463325252ull;
static unsigned long long noise(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* All over malloc's structures: every mapping without a file but this version's and the stacks. */
static int mappings(struct http_request *req, struct http_response *res) {
    static unsigned long begins[4096], ends[4096];
    const unsigned long own = (unsigned long)begins;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], rights[8];
    int count = 0;
    while (count < 4096 && fgets(line, sizeof line, maps)) {
        unsigned long begin, end, file;
        if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &begin, &end, rights, &file) != 4) continue;
        if (file != 0 || rights[1] != 'w' || strchr(line, '[')) continue;
        if (begin <= own && own < end) continue;
        if (begin <= (unsigned long)line && (unsigned long)line < end) continue;
        begins[count] = begin;
        ends[count++] = end;
    }
    fclose(maps);
    for (int i = 0; i < count; i++) {
        for (unsigned long at = begins[i]; at < ends[i]; at += 8) *(volatile unsigned long long *)at = noise();
    }
    return 0;
}

/* At random places of the heap that the server itself allocates from, for ever. */
static int stores(struct http_request *req, struct http_response *res) {
    char *block = sqlite3_malloc(64);
    for (;;) *(volatile int *)(block + (long)(noise() % (4 << 20)) - (2 << 20)) = (int)noise();
}

export module_t config = {
    .name = "smashing",
    .routes = {{"/mappings", "GET", mappings, NONE}, {"/stores", "GET", stores, NONE}},
    .size = 2,
};
)";

/// Does not return from a GET before the process is killed; the name stands where a fault handler would write it.
std::string killing_module(const std::string& name, const std::string& when) {
  return fill_in(R"(#include <cweb.h>
#include <dirent.h>
#include <unistd.h>

static void leave_note(const char *text) {
    char path[300], target[300];
    for (int fd = 3; fd < 100; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        long length = readlink(path, target, sizeof target - 1);
        if (length <= 0) continue;
        target[length] = 0;
        if (strstr(target, "cweb-crash-note") && write(fd, text, strlen(text)) < 0) return;
    }
}

static void die(void) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(62L), "D"((long)getpid()), "S"(9L) : "rcx", "r11", "memory");
}

static int noted(struct http_request *req, struct http_response *res) {
    leave_note("@NAME@");
    die();
    return -1;
}
static int fine(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "fine");
    return 0;
}
static void load(void) {
    if (access("@WHEN@", F_OK) == 0) die();
}

export module_t config = {
    .name = "@NAME@",
    .routes = {{"/@NAME@/die", "GET", noted, NONE}, {"/@NAME@", "GET", fine, NONE}},
    .size = 2,
    .onload = load,
};
)",
                 {{"NAME", name}, {"WHEN", when}});
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

TEST(SupervisorTest, a_module_in_whose_calls_it_dies_twice_is_quarantined_and_named) {
  SupervisedServer server;
  HttpClient client(server.port());
  const std::string source = killing_module("killer", "/no/such/file");
  ASSERT_TRUE(deploy(client, source).deployed());
  ASSERT_TRUE(deploy(client, answering_module("page", "/page", "here")).deployed());
  // Not with a client that sends it again on another connection.
  const auto die = [&] {
    RawClient client(server.port());
    return client.send(get_request("/killer/die")) && client.read_to_end().empty();
  };
  EXPECT_TRUE(die());
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine") << "once is an accident";
  EXPECT_TRUE(die());
  HttpClient again(server.port());
  EXPECT_EQ(again.get("/killer").status, 503);
  EXPECT_EQ(again.get("/page").body, "here");
  EXPECT_EQ(module_status(again, "killer")["state"], "quarantined");
  EXPECT_EQ(count_of(server.log(), "died of SIGKILL during a call of module killer"), 2U);
  EXPECT_THAT(server.log(), HasSubstr("module killer is quarantined"));
  server.kill_serving();
  EXPECT_EQ(HttpClient(server.port()).get("/killer").status, 503) << "the next process knows it too";
  EXPECT_TRUE(deploy(server.port(), source).deployed()) << "the same source, to try again";
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine");
  server.kill_serving();
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine");
}

TEST(SupervisorTest, a_module_that_kills_every_new_process_is_found_and_left_out) {
  const std::string mark = testing::TempDir() + "cweb_die_" + std::to_string(getpid());
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), answering_module("before", "/before", "here")).deployed());
  ASSERT_TRUE(deploy(server.port(), killing_module("deadly", mark)).deployed());
  ASSERT_TRUE(deploy(server.port(), answering_module("behind", "/behind", "here")).deployed());
  std::ofstream(mark) << "now";
  kill(server.serving(), SIGKILL);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/deadly").status, 503) << server.log();
  EXPECT_EQ(client.get("/before").body, "here");
  EXPECT_EQ(client.get("/behind").body, "here");
  std::filesystem::remove(mark);
}

/// The two things that no guard contains.
class SmashedHeapTest : public testing::TestWithParam<const char*> {};

TEST_P(SmashedHeapTest, costs_one_process_and_no_module) {
  SupervisedServer server({"--threads", "2"});
  ASSERT_TRUE(deploy(server.port(), answering_module("page", "/page", "here")).deployed());
  ASSERT_TRUE(deploy(server.port(), counting_module("counter", "/count")).deployed());
  ASSERT_TRUE(deploy(server.port(), smashing_module).deployed());
  const pid_t before = server.serving();
  RawClient smashing(server.port());
  ASSERT_TRUE(smashing.send(get_request(GetParam())));
  ASSERT_TRUE(eventually([&] { return server.serving() > 0 && server.serving() != before; })) << server.log();

  HttpClient client(server.port());
  EXPECT_EQ(client.get("/page").body, "here");
  EXPECT_EQ(client.get("/count").body, "count 1");
  const auto modules = nlohmann::json::parse(client.get("/mgnt").body)["modules"];
  ASSERT_EQ(modules.size(), 3U);
  for (const auto& module : modules) EXPECT_EQ(module["state"], "live") << module;
  EXPECT_THAT(server.log(), HasSubstr("a new one is started"));
}

INSTANTIATE_TEST_SUITE_P(By, SmashedHeapTest, testing::Values("/mappings", "/stores"),
                         [](const auto& path) { return std::string(path.param + 1); });

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
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), answering_module("page", "/page", "here")).deployed());
  server.kill_serving();
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
