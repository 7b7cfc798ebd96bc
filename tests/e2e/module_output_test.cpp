// What modules print, with whatever function and wherever they are, is in /mgnt/logs and in the server's log: whole
// lines, with the module's name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

const std::string printer = R"(#include <cweb.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static FILE *kept;
static FILE **by_address = &stdout;
static const char *volatile bad_text = (const char *)0x10;

__attribute__((constructor)) static void construct(void) { printf("constructor %d\n", 1); }
static void load(void) { kept = stderr; puts("onload"); }
static void leave(void) { fputs("unload\n", stdout); }
static void *own_thread(void *given) { printf("own thread"); return given; }

static int print(struct http_request *req, struct http_response *res) {
    printf("printf %s\n", "formatted");
    printf("printf plain\n");
    printf("%c", 'c'); putchar('h'); putc('a', stdout); fputc('r', stdout); putchar_unlocked('\n');
    fprintf(stderr, "fprintf %d\n", 2);
    fprintf(stderr, "fprintf plain\n");
    fputs("fputs\n", stdout);
    fwrite("fwrite\n", 1, 7, stderr);
    dprintf(1, "dprintf\n");
    write(2, "write\n", 6);
    errno = ENOENT;
    perror("perror");
    fprintf(kept, "kept\n");
    fprintf(*by_address, "by address\n");
    setvbuf(stdout, NULL, _IOFBF, 4096);
    fprintf(stdout, "never buffered\n");
    fclose(stdout);
    fprintf(stdout, "never closed\n");
    fflush(stdout);
    pthread_t thread;
    pthread_create(&thread, NULL, own_thread, NULL);
    pthread_join(thread, NULL);
    fprintf(stderr, "no end of line");
    sprintf(res->body, "%d", fileno(stdout));
    return 0;
}
static int fault(struct http_request *req, struct http_response *res) {
    printf("half a line");
    fprintf(stderr, "%s\n", bad_text);
    return 0;
}
static int mix(struct http_request *req, struct http_response *res) {
    for (int i = 0; i < 100; i++) {
        printf("one "); fputs("two ", stdout); putchar('3'); printf(" %s\n", "four");
    }
    return 0;
}
static int many(struct http_request *req, struct http_response *res) {
    for (int i = 0; i < 1000000; i++) printf("line %d\n", i);
    return 0;
}
static int quiet(struct http_request *req, struct http_response *res) { return 0; }
static void hear(struct websocket *ws, const char *message, size_t size) {
    printf("heard %.*s\n", (int)size, message);
    ws->send(ws, "ok", 2);
}

export module_t config = {
    .name = "@NAME@", .size = 5, .onload = load, .unload = leave,
    .routes = {{"/@NAME@/print", "GET", print, NONE}, {"/@NAME@/fault", "GET", fault, NONE},
               {"/@NAME@/mix", "GET", mix, NONE}, {"/@NAME@/many", "GET", many, NONE},
               {"/@NAME@/quiet", "GET", quiet, NONE}},
    .websockets = {{"/@NAME@/hear", NULL, hear, NULL}}, .ws_size = 1,
};
)";

class ModuleOutputTest : public testing::Test {
 protected:
  void deploy_as(const std::string& name) {
    ASSERT_TRUE(deploy(client_, fill_in(printer, {{"NAME", name}})).deployed());
  }
  std::vector<std::string> texts(const std::string& query) {
    std::vector<std::string> texts;
    const auto page = nlohmann::json::parse(client_.get("/mgnt/logs" + query, {{"Accept", "application/json"}}).body);
    for (const auto& event : page["events"]) {
      texts.push_back(event.value("stream", event["type"].get<std::string>()) + " " + event["text"].get<std::string>());
    }
    return texts;
  }

  ServerProcess server_;
  HttpClient client_{server_.port()};
};

TEST_F(ModuleOutputTest, every_way_to_print_is_a_line_of_the_module) {
  deploy_as("all");
  EXPECT_THAT(texts("?module=all"),
              ElementsAre("stdout constructor 1", "stdout onload", "deployed all, version 1, is deployed"));
  EXPECT_EQ(client_.get("/all/print").body, "1");
  const std::vector<std::string> printed{"stdout printf formatted",
                                         "stdout printf plain",
                                         "stdout char",
                                         "stderr fprintf 2",
                                         "stderr fprintf plain",
                                         "stdout fputs",
                                         "stderr fwrite",
                                         "stdout dprintf",
                                         "stderr write",
                                         "stderr perror: No such file or directory",
                                         "stderr kept",
                                         "stdout by address",
                                         "stdout never buffered",
                                         "stdout never closed",
                                         "stdout own thread",
                                         "stderr no end of line"};
  EXPECT_EQ(texts("?module=all&after=3"), printed);
  WebSocketClient socket(server_.port(), "/all/hear");
  socket.send_text("hello");
  EXPECT_EQ(socket.read_text(), "ok");
  EXPECT_THAT(texts("?limit=1"), ElementsAre("stdout heard hello"));
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/all").status, 200);
  EXPECT_TRUE(eventually([&] {
    const auto all = texts("?module=all");
    return std::find(all.begin(), all.end(), "stdout unload") != all.end();
  })) << "the lines of one that is removed are kept";
  // Who debugs with printf looks into the terminal.
  EXPECT_TRUE(eventually([&] { return server_.log().find("[all] unload\n") != std::string::npos; }));
  for (const std::string& line : printed) EXPECT_THAT(server_.log(), HasSubstr("[all] " + line.substr(7) + "\n"));
}

TEST_F(ModuleOutputTest, a_fault_loses_nothing_that_was_printed_before_it) {
  deploy_as("faulty");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client_.get("/faulty/fault").status, 500);
  EXPECT_EQ(client_.get("/faulty/print").status, 200);
  const auto lines = texts("?module=faulty");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "stdout half a line"), 3);
  EXPECT_THAT(lines, IsSupersetOf({"stderr kept", "stderr no end of line"}));
  const auto page = nlohmann::json::parse(client_.get("/mgnt/logs", {{"Accept", "application/json"}}).body);
  const auto fault = std::find_if(page["events"].begin(), page["events"].end(),
                                  [](const auto& event) { return event["type"] == "fault"; });
  ASSERT_NE(fault, page["events"].end());
  EXPECT_EQ((*fault)["kind"], "SIGSEGV");
  EXPECT_EQ((*fault)["file"], "module.c");
  EXPECT_THAT((*fault)["report"].get<std::string>(), HasSubstr("    fprintf(stderr, \"%s\\n\", bad_text);\n"));
  EXPECT_THAT((*fault)["text"].get<std::string>(), HasSubstr("faulty, version 1, has failed: null pointer"));
}

TEST_F(ModuleOutputTest, lines_of_many_threads_and_modules_stay_whole_and_in_place) {
  deploy_as("one");
  deploy_as("two");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(
        [this, i] { EXPECT_EQ(HttpClient(server_.port()).get(i % 2 == 0 ? "/one/mix" : "/two/mix").status, 200); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const char* query : {"?module=one&limit=400", "?module=two&limit=400"}) {
    const auto lines = texts(query);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "stdout one two 3 four"), 400) << query;
  }
}

TEST_F(ModuleOutputTest, a_million_lines_are_bounded_and_keep_nobody_waiting) {
  deploy_as("loud");
  const long before_kb = facts_of(server_.pid()).resident_kb;
  std::thread loud([this] {
    HttpClient client(server_.port());
    client.set_time(patience * 4);
    EXPECT_NE(client.get("/loud/many").status, 0);
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client_.get("/loud/quiet").status, 200);
  loud.join();
  // The address sanitizer keeps 256 MiB of what was freed, and a border around each block.
  EXPECT_LT(facts_of(server_.pid()).resident_kb - before_kb, sanitized ? 600'000 : 50'000);
  EXPECT_EQ(texts("?module=loud&limit=2000").size(), 1'001U) << "the last thousand, and that it was deployed";
  EXPECT_EQ(client_.get("/mgnt/logs?limit=1").body.substr(12), " loud: line 999999\n");
}

}  // namespace
}  // namespace cweb::e2e
