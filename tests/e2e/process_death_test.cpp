// What the server process dies of, whom that is laid to, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "raw_client.h"
#include "server_process.h"
#include "supervised_server.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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
/* As an exit(0) that a library calls. */
static int leave(struct http_request *req, struct http_response *res) {
    __asm__ volatile("syscall" : : "a"(231L), "D"(0L) : "rcx", "r11", "memory");
    return -1;
}
static void load(void) {
    if (access("@WHEN@", F_OK) == 0) die();
}

export module_t config = {
    .name = "@NAME@",
    .routes = {{"/@NAME@/die", "GET", noted, NONE},
               {"/@NAME@/leave", "GET", leave, NONE},
               {"/@NAME@", "GET", fine, NONE}},
    .size = 3,
    .websockets = {{"/@NAME@/socket", NULL, NULL, NULL}},
    .ws_size = 1,
    .onload = load,
};
)",
                 {{"NAME", name}, {"WHEN", when}});
}

/// A file whose presence a module may look for.
class Mark {
 public:
  explicit Mark(const std::string& name) : path_(testing::TempDir() + "cweb_" + name + std::to_string(getpid())) {
    remove();
  }
  ~Mark() { remove(); }
  const std::string& path() const { return path_; }
  void set() const { std::ofstream(path_) << "now"; }
  void remove() const { std::filesystem::remove(path_); }

 private:
  const std::string path_;
};

/// GET /wait tells the thread it is on and returns when the test lets it; GET /end asks the server to end.
const std::string ending_module = fill_in(R"(#define _GNU_SOURCE
#include <cweb.h>
#include <signal.h>
#include <unistd.h>

static void tell(const char *line) {
    if (write(@EVENTS@, line, strlen(line)) < 0) return;
}
static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte, line[40];
    snprintf(line, sizeof line, "%d\n", gettid());
    tell(line);
    if (read(@GATE@, &byte, 1) != 1) return -1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "waited");
    return 0;
}
static int end(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "asked: %d", kill(getpid(), SIGTERM));
    return 0;
}
static void leave(void) { tell("unload\n"); }

export module_t config = {
    .name = "ending",
    .routes = {{"/wait", "GET", wait_for_gate, NONE}, {"/end", "GET", end, NONE}},
    .size = 2,
    .unload = leave,
};
)",
                                          {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

/// Is a connection to the port refused, at once?
bool is_refused(uint16_t port) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

/// Kills a process and waits for the kernel to say that it has ended.
void kill_and_await(pid_t process, int signal_number) {
  const UniqueFd end(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  ASSERT_TRUE(end);
  ASSERT_EQ(kill(process, signal_number), 0);
  pollfd waiting{.fd = end.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&waiting, 1, static_cast<int>(patience.count())), 1);
}

TEST(ProcessDeathTest, an_answer_comes_within_a_second_of_it_with_twenty_modules) {
  using Clock = std::chrono::steady_clock;
  SupervisedServer server;
  HttpClient client(server.port());
  for (int i = 0; i < 20; ++i) {
    const std::string name = "m" + std::to_string(i);
    ASSERT_TRUE(deploy(client, answering_module(name, "/" + name, name)).deployed());
  }
  for (int death = 0; death < 3; ++death) {
    const pid_t serving = server.serving();
    ASSERT_GT(serving, 0);
    const Clock::time_point start = Clock::now();
    ASSERT_NO_FATAL_FAILURE(kill_and_await(serving, SIGKILL));
    // It waits in the queue of a socket that the parent holds.
    const RawResponse answer = RawClient(server.port()).exchange(get_request("/m19"));
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    EXPECT_EQ(answer.body, "m19");
    EXPECT_LE(elapsed.count(), 1000 * slowness) << "death " << death;
    RecordProperty("death_" + std::to_string(death) + "_ms", static_cast<int>(elapsed.count()));
  }
}

TEST(ProcessDeathTest, a_module_that_asks_for_the_end_ends_both_processes_in_order) {
  for (const bool supervised : {true, false}) {
    SCOPED_TRACE(supervised ? "with a parent" : "without");
    ServerProcess server({"--threads", "2"}, {}, supervised ? Supervision::by_parent : Supervision::none);
    ASSERT_TRUE(deploy(server.port(), ending_module).deployed());
    RawClient waiting(server.port()), idle(server.port()), asking(server.port());
    ASSERT_TRUE(waiting.send(get_request("/wait")));
    ASSERT_NE(server.next_event(), "");
    ASSERT_EQ(idle.exchange(get_request("/mgnt/health")).status, 200);
    EXPECT_EQ(asking.exchange(get_request("/end")).body, "asked: 0");
    EXPECT_TRUE(idle.ends());
    EXPECT_TRUE(eventually([&] { return is_refused(server.port()); }, std::chrono::seconds(1) * slowness))
        << "nobody shall wait for a server that ends";
    server.open_gate();
    EXPECT_EQ(waiting.read_response().body, "waited") << "what was running is finished";
    EXPECT_EQ(server.await_end(), 0);
    EXPECT_THAT(server.remaining_events(), ElementsAre("unload"));
    EXPECT_THAT(server.log(), Not(HasSubstr("died")));
  }
}

TEST(ProcessDeathTest, an_exit_that_nobody_meant_is_followed_by_another_process) {
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), killing_module("killer", "/no/such/file")).deployed());
  const pid_t before = server.serving();
  RawClient leaving(server.port());
  ASSERT_TRUE(leaving.send(get_request("/killer/leave")));
  EXPECT_EQ(leaving.read_to_end(), "");
  server.wait_for_next(before);
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine");
  EXPECT_THAT(server.log(), HasSubstr("ended with exit code 0; a new one is started"));
}

#ifndef CWEB_SANITIZED  // there the signal is the sanitizer's first

/// The last words of a process, and the backtrace behind them.
testing::Matcher<std::string> has_last_words(const std::string& during) {
  return testing::AllOf(
      HasSubstr("cweb: died of SIGSEGV" + during + "; backtrace:\n"), testing::Truly([](const std::string& log) {
        return std::regex_search(log, std::regex("backtrace:\n([^\n]*[(][^\n]*\\[0x[0-9a-f]+\\]\n)+"));
      }));
}

TEST(ProcessDeathTest, a_fault_that_is_no_module_s_is_loud_and_the_next_process_has_all_modules) {
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), answering_module("page", "/page", "here")).deployed());
  server.kill_serving(SIGSEGV);
  EXPECT_EQ(HttpClient(server.port()).get("/page").body, "here");
  EXPECT_THAT(server.log(), has_last_words(""));
  EXPECT_THAT(server.log(), HasSubstr("died of SIGSEGV; a new one is started"));
  EXPECT_THAT(HttpClient(server.port()).get("/mgnt/logs").body,
              HasSubstr(" the server process died of SIGSEGV; this one has taken its place\n"));
}

TEST(ProcessDeathTest, without_a_parent_such_a_fault_ends_it_by_that_signal) {
  ServerProcess server;
  kill(server.pid(), SIGSEGV);
  const int status = server.await_end();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << describe_end(status);
  EXPECT_THAT(server.log(), has_last_words(""));
}

TEST(ProcessDeathTest, the_fault_handler_names_the_module_in_whose_call_it_dies) {
  SupervisedServer server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, answering_module("page", "/page", "here")).deployed());
  ASSERT_TRUE(deploy(client, ending_module).deployed());
  for (int death = 1; death <= 2; ++death) {
    const pid_t serving = server.serving();
    RawClient waiting(server.port());
    ASSERT_TRUE(waiting.send(get_request("/wait")));
    const std::string thread = server.next_event();
    ASSERT_NE(thread, "");
    // Sent by another process it is nobody's fault, and so the end of this one.
    ASSERT_EQ(syscall(SYS_tgkill, serving, std::stoi(thread), SIGSEGV), 0);
    EXPECT_EQ(waiting.read_to_end(), "");
    server.wait_for_next(serving);
  }
  EXPECT_THAT(server.log(), has_last_words(" during a call of module ending"));
  EXPECT_EQ(count_of(server.log(), "died of SIGSEGV during a call of module ending; a new one is started"), 2U);
  HttpClient again(server.port());
  const HttpResponse refused = again.get("/wait");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(again.get("/page").body, "here");
  EXPECT_THAT(module_status(again, "ending").value("quarantine_reason", ""), HasSubstr("died 2 times in its calls"));
  EXPECT_THAT(again.get("/mgnt/logs?module=ending").body, HasSubstr("died of SIGSEGV during a call of module ending;"));
}

/// What libc frees is the process's own memory, and so is the allocator that it is given back to: no guard claims a
/// fault there.
TEST(ProcessDeathTest, a_fault_in_the_process_s_allocator_names_the_module_too) {
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), R"(#include <cweb.h>
#include <glob.h>

static char area[4096];
static char *paths[] = {area + 2048, NULL};
static int corrupt(struct http_request *req, struct http_response *res) {
    glob_t found = {.gl_pathc = 1, .gl_pathv = paths};
    globfree(&found);
    return 0;
}
export module_t config = {.name = "corrupting", .routes = {{"/corrupt", "GET", corrupt, NONE}}, .size = 1};
)")
                  .deployed());
  const pid_t before = server.serving();
  RawClient corrupting(server.port());
  ASSERT_TRUE(corrupting.send(get_request("/corrupt")));
  EXPECT_EQ(corrupting.read_to_end(), "");
  server.wait_for_next(before);
  EXPECT_THAT(server.log(), HasSubstr("during a call of module corrupting; a new one is started"));
}

#endif

TEST(ProcessDeathTest, a_module_in_whose_calls_it_dies_twice_is_quarantined_and_named) {
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
  HttpClient next(server.port());
  EXPECT_EQ(next.get("/killer").status, 503) << "the next process knows it too";
  EXPECT_EQ(RawClient(server.port()).exchange(websocket_handshake("/killer/socket")).status, 503);
  EXPECT_EQ(next.send("POST", "/mgnt/modules/killer/restart").status, 200);
  EXPECT_EQ(next.get("/killer").body, "fine");
  server.kill_serving();
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine") << "and so it does that it was restarted";
  EXPECT_TRUE(die() && die());
  EXPECT_EQ(HttpClient(server.port()).get("/killer").status, 503);
  EXPECT_TRUE(deploy(server.port(), source).deployed()) << "the same source, to try again";
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine");
  server.kill_serving();
  EXPECT_EQ(HttpClient(server.port()).get("/killer").body, "fine");
}

TEST(ProcessDeathTest, a_module_that_kills_every_new_process_is_found_and_left_out) {
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

TEST(ProcessDeathTest, two_modules_that_kill_every_new_process_are_both_found) {
  const Mark mark("both_die");
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), killing_module("deadly", mark.path())).deployed());
  ASSERT_TRUE(deploy(server.port(), answering_module("between", "/between", "here")).deployed());
  ASSERT_TRUE(deploy(server.port(), killing_module("lethal", mark.path())).deployed());
  mark.set();
  kill(server.serving(), SIGKILL);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/deadly").status, 503) << server.log();
  EXPECT_EQ(client.get("/lethal").status, 503);
  EXPECT_EQ(client.get("/between").body, "here");
}

TEST(ProcessDeathTest, a_module_whose_onload_fails_comes_back_quarantined_and_answers_after_a_restart) {
  const Mark mark("database_is_down");
  const std::string source = fill_in(
      "#include <cweb.h>\n#include <unistd.h>\n"
      "static int answer(struct http_request *req, struct http_response *res) {\n"
      "    snprintf(res->body, HTTP_RESPONSE_SIZE, \"data\");\n    return 0;\n}\n"
      "static void load(void) { if (access(\"@MARK@\", F_OK) == 0) abort(); }\n"
      "export module_t config = {.name = \"data\", .routes = {{\"/data\", \"GET\", answer, NONE}}, .size = 1,\n"
      "    .websockets = {{\"/data/socket\", NULL, NULL, NULL}}, .ws_size = 1, .onload = load};\n",
      {{"MARK", mark.path()}});
  SupervisedServer server;
  ASSERT_TRUE(deploy(server.port(), source).deployed());
  ASSERT_TRUE(deploy(server.port(), answering_module("page", "/page", "here")).deployed());
  mark.set();
  server.kill_serving();
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/page").body, "here");
  EXPECT_EQ(client.get("/data").status, 503);
  EXPECT_EQ(RawClient(server.port()).exchange(websocket_handshake("/data/socket")).status, 503);
  const auto status = module_status(client, "data");
  EXPECT_EQ(status.value("state", ""), "quarantined");
  EXPECT_THAT(status.value("quarantine_reason", ""), HasSubstr("onload did not return: the module called abort()"));
  EXPECT_EQ(client.send("POST", "/mgnt/modules/data/restart").status, 422) << "it is still down";
  EXPECT_EQ(client.get("/data").status, 503);
  mark.remove();
  EXPECT_EQ(client.send("POST", "/mgnt/modules/data/restart").status, 200);
  EXPECT_EQ(client.get("/data").body, "data");

  mark.set();
  server.kill_serving();
  HttpClient next(server.port());
  EXPECT_EQ(next.get("/data").status, 503);
  EXPECT_EQ(next.send("DELETE", "/mgnt/modules/data").status, 200);
  mark.remove();
  server.kill_serving();
  HttpClient last(server.port());
  EXPECT_EQ(last.get("/data").status, 404) << "what was removed does not come back";
  EXPECT_EQ(last.get("/page").body, "here");
}

#ifndef CWEB_SANITIZED  // there memory is the sanitizer's, with terabytes of shadow among the mappings

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
    const unsigned long block = (unsigned long)sqlite3_malloc(64);
    unsigned long begin = 0, end = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx", &begin, &end) == 2 && begin <= block && block < end) break;
    }
    fclose(maps);
    for (;;) *(volatile int *)(begin + noise() % (end - begin - 8)) = (int)noise();
}

export module_t config = {
    .name = "smashing",
    .routes = {{"/mappings", "GET", mappings, NONE}, {"/stores", "GET", stores, NONE}},
    .size = 2,
};
)";

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
  // What is damaged is noticed by who uses it: others go on asking.
  ASSERT_TRUE(eventually([&] {
    HttpClient other(server.port());
    other.set_time(std::chrono::milliseconds(200));
    other.get("/page");
    return server.serving() > 0 && server.serving() != before;
  })) << server.log();

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

#endif

}  // namespace
}  // namespace cweb::e2e
