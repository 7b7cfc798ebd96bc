// The memory of modules: counted, shown, bounded for each of them alone, and given back when a version is gone. Blocks
// are large here: what stands around a block counts as well, and is little beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"
#include "steady_client.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// What an allocator that rounds up would make 4 MiB of, with something of its own before it.
constexpr long block_bytes = (4L << 20) - 4096;
/// Eight of those fit in, nine do not.
constexpr long limit_bytes = 34L << 20;
constexpr long most_blocks = 8;

/// Clang takes it that malloc leaves errno alone.
const std::string error_number = "static volatile int *error;";

/// Keeps blocks until it is told to drop them. /keep?blocks=N answers how many it has then.
std::string keeping_module(const std::string& name) {
  return fill_in(R"(#include <cweb.h>
#include <errno.h>

static char *kept[64];
static int count;
@ERROR@

static int keep(struct http_request *req, struct http_response *res) {
    int more = atoi(map_get(req->params, "blocks"));
    error = &errno;
    *error = 0;
    while (more > 0 && count < 64 && (kept[count] = malloc(@BLOCK@)) != NULL) {
        memset(kept[count++], 1, @BLOCK@);
        --more;
    }
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%d blocks, error %d", count, *error == ENOMEM);
    return 0;
}

static int drop(struct http_request *req, struct http_response *res) {
    while (count > 0) free(kept[--count]);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "dropped");
    return 0;
}

export module_t config = {
    .name = "@NAME@",
    .routes = {{"/@NAME@/keep", "GET", keep, NONE}, {"/@NAME@/drop", "GET", drop, NONE}},
    .size = 2,
};
)",
                 {{"NAME", name}, {"BLOCK", std::to_string(block_bytes)}, {"ERROR", error_number}});
}

MATCHER_P(IsNearly, bytes, "is " + std::to_string(bytes) + " or up to 2 % more") {
  return arg >= bytes && arg <= bytes + bytes / 50;
}

class ModuleMemoryTest : public testing::Test {
 protected:
  std::string get(const std::string& path) { return client_.get(path).body; }
  json memory_of(const std::string& module) {
    const json status = module_status(client_, module);
    return status.is_object() ? status.value("memory", json::object()) : json::object();
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1", "--module-memory", std::to_string(limit_bytes)}};
  HttpClient client_{server_.port()};
};

TEST_F(ModuleMemoryTest, beyond_its_memory_malloc_is_null_to_that_module_alone) {
  ASSERT_TRUE(deploy(client_, keeping_module("greedy")).deployed());
  ASSERT_TRUE(deploy(client_, keeping_module("modest")).deployed());
  SteadyClient steady(server_.port());
  const std::string all = std::to_string(most_blocks) + " blocks, error ";
  EXPECT_EQ(get("/greedy/keep?blocks=60"), all + "1");
  EXPECT_EQ(get("/modest/keep?blocks=8"), all + "0") << "another module has its own";
  EXPECT_EQ(get("/greedy/keep?blocks=1"), all + "1") << "and that is no help to the first";
  steady.wait_for_answers(3);
  EXPECT_EQ(get("/greedy/drop"), "dropped");
  EXPECT_EQ(get("/greedy/keep?blocks=8"), all + "0") << "what was freed can be had again";
  for (const std::string module : {"greedy", "modest"}) {
    EXPECT_EQ(module_status(client_, module).value("faults", -1), 0);
    EXPECT_EQ(module_status(client_, module).value("state", ""), "live");
  }
}

TEST_F(ModuleMemoryTest, the_next_version_has_the_whole_of_it_again) {
  ASSERT_TRUE(deploy(client_, keeping_module("greedy")).deployed());
  EXPECT_EQ(get("/greedy/keep?blocks=8"), "8 blocks, error 0");
  ASSERT_TRUE(deploy(client_, "/* another source */" + keeping_module("greedy")).deployed());
  EXPECT_EQ(get("/greedy/keep?blocks=60"), "8 blocks, error 1");
}

/// Takes all there is, down to the last bytes; then asks each function for some.
const std::string exhausted_module = fill_in(R"(#define _GNU_SOURCE
#include <cweb.h>
#include <errno.h>
#include <unistd.h>
#include <wchar.h>

struct link {
    struct link *next;
};
static struct link *taken;

static void take_all(void) {
    for (size_t size = @BLOCK@; size >= sizeof(struct link); size /= 2) {
        for (struct link *one = malloc(size); one; one = malloc(size)) {
            one->next = taken;
            taken = one;
        }
    }
}

static void give_back(void) {
    while (taken) {
        struct link *next = taken->next;
        free(taken);
        taken = next;
    }
}

static char *answer;
@ERROR@

static void tell(const char *function, int failed) {
    answer += sprintf(answer, "%s %s%s\n", function, failed ? "failed" : "worked", *error == ENOMEM ? ", ENOMEM" : "");
    *error = 0;
}

/* A block that nobody looks at need not be allocated. */
static void *volatile got;

static void ask_libc(char *small) {
    char *text = NULL;
    void *block = NULL;
    wchar_t wide[2000];
    tell("malloc", (got = malloc(8000)) == NULL);
    tell("calloc", (got = calloc(100, 80)) == NULL);
    tell("realloc", (got = realloc(small, 16000)) == NULL);
    tell("realloc's block", strcmp(small, "is as it was") != 0);
    tell("aligned_alloc", (got = aligned_alloc(4096, 8192)) == NULL);
    *error = posix_memalign(&block, 4096, 8192);
    tell("posix_memalign", *error != 0);
    memset(small + 100, 'a', 7900);
    small[7999] = 0;
    tell("strdup", (got = strdup(small + 100)) == NULL);
    wmemset(wide, L'a', 1999);
    wide[1999] = 0;
    tell("wcsdup", (got = wcsdup(wide)) == NULL);
    tell("asprintf", asprintf(&text, "%s", small + 100) < 0);
}

static void ask_libraries(void) {
    json_error_t mistake;
    sqlite3 *database = NULL;
    tell("json_object", json_object() == NULL);
    tell("json_loads", json_loads("{\"a\": [1, 2, 3]}", 0, &mistake) == NULL);
    const int opened = sqlite3_open(":memory:", &database);
    const int done = sqlite3_exec(database, "create table t(a); insert into t values (1);", NULL, NULL, NULL);
    tell("sqlite", opened != SQLITE_OK || done != SQLITE_OK);
    sqlite3_close(database);
}

static int ask(struct http_request *req, struct http_response *res) {
    char *small = malloc(8000);
    strcpy(small, "is as it was");
    answer = res->body;
    take_all();
    error = &errno;
    *error = 0;
    ask_libc(small);
    ask_libraries();
    give_back();
    tell("malloc afterwards", (small = realloc(small, 100000)) == NULL);
    free(small);
    return 0;
}

export module_t config = {.name = "exhausted", .routes = {{"/ask", "GET", ask, NONE}}, .size = 1};
)",
                                             {{"BLOCK", std::to_string(block_bytes)}, {"ERROR", error_number}});

TEST_F(ModuleMemoryTest, whatever_allocates_fails_in_its_ordinary_way_when_there_is_no_more) {
  const DeployAnswer deployed = deploy(client_, exhausted_module);
  ASSERT_TRUE(deployed.deployed()) << deployed;
  const HttpResponse response = client_.get("/ask");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            "malloc failed, ENOMEM\n"
            "calloc failed, ENOMEM\n"
            "realloc failed, ENOMEM\n"
            "realloc's block worked\n"
            "aligned_alloc failed, ENOMEM\n"
            "posix_memalign failed, ENOMEM\n"
            "strdup failed, ENOMEM\n"
            "wcsdup failed, ENOMEM\n"
            "asprintf failed, ENOMEM\n"
            "json_object failed, ENOMEM\n"
            "json_loads failed, ENOMEM\n"
            // What sqlite takes is the process's, for all modules.
            "sqlite worked\n"
            "malloc afterwards worked\n");
  EXPECT_EQ(module_status(client_, "exhausted").value("faults", -1), 0);
  EXPECT_EQ(memory_of("exhausted").value("blocks", -1), 0);
}

TEST_F(ModuleMemoryTest, what_a_module_has_allocated_is_shown_with_the_most_that_it_was) {
  ASSERT_TRUE(deploy(client_, keeping_module("keeper")).deployed());
  EXPECT_EQ(memory_of("keeper"), json({{"bytes", 0}, {"blocks", 0}, {"peak_bytes", 0}}));
  get("/keeper/keep?blocks=5");
  json memory = memory_of("keeper");
  EXPECT_THAT(memory.value("bytes", 0L), IsNearly(5 * block_bytes));
  EXPECT_EQ(memory.value("blocks", 0), 5);
  EXPECT_EQ(memory["peak_bytes"], memory["bytes"]);
  get("/keeper/drop");
  get("/keeper/keep?blocks=2");
  memory = memory_of("keeper");
  EXPECT_THAT(memory.value("bytes", 0L), IsNearly(2 * block_bytes));
  EXPECT_EQ(memory.value("blocks", 0), 2);
  EXPECT_THAT(memory.value("peak_bytes", 0L), IsNearly(5 * block_bytes));
  const json list = json::parse(client_.get("/mgnt").body, nullptr, /*allow_exceptions=*/false);
  ASSERT_EQ(list.value("modules", json::array()).size(), 1U) << list;
  EXPECT_EQ(list["modules"][0]["memory"], memory) << "the list has the same figures";
}

TEST_F(ModuleMemoryTest, what_was_refused_is_not_counted) {
  ASSERT_TRUE(deploy(client_, keeping_module("greedy")).deployed());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/greedy/keep?blocks=60"), "8 blocks, error 1");
  const json memory = memory_of("greedy");
  EXPECT_EQ(memory.value("blocks", 0), most_blocks);
  EXPECT_THAT(memory.value("bytes", 0L), IsNearly(most_blocks * block_bytes));
  EXPECT_LE(memory.value("peak_bytes", 0L), limit_bytes);
}

TEST_F(ModuleMemoryTest, what_a_retired_version_left_is_told_in_the_log_and_given_back) {
  ASSERT_TRUE(deploy(client_, keeping_module("leaving")).deployed());
  ASSERT_TRUE(deploy(client_, answering_module("leaving", "/warm", "warm")).deployed());
  ASSERT_TRUE(deploy(client_, keeping_module("leaving")).deployed());
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "leaving") == 0; }));
  const long before_kb = facts_of(server_.pid()).resident_kb;
  EXPECT_EQ(get("/leaving/keep?blocks=6"), "6 blocks, error 0");
  constexpr long kept_kb = 6 * block_bytes / 1024;
  EXPECT_GE(facts_of(server_.pid()).resident_kb, before_kb + kept_kb * 9 / 10) << "they were written to";
  ASSERT_TRUE(deploy(client_, answering_module("leaving", "/left", "left")).deployed());
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "leaving") == 0; }));
  // The sanitizers keep freed memory back by design.
  if (!sanitized) {
    EXPECT_TRUE(eventually([&] { return facts_of(server_.pid()).resident_kb < before_kb + kept_kb / 4; }))
        << before_kb << " KiB before it, " << facts_of(server_.pid()).resident_kb << " KiB after it";
  }
  std::smatch found;
  const std::string log = server_.log();
  const std::regex line("module leaving version (\\d+) is retired and left (\\d+) bytes in (\\d+) blocks allocated");
  ASSERT_TRUE(std::regex_search(log, found, line));
  EXPECT_EQ(found[1], "3") << "the others had nothing";
  EXPECT_THAT(std::stol(found[2]), IsNearly(6 * block_bytes));
  EXPECT_EQ(found[3], "6");
}

TEST_F(ModuleMemoryTest, memory_of_an_instance_that_faulted_is_given_back) {
  const std::string source = fill_in(R"(#include <cweb.h>
static int *volatile nothing;
static char *volatile lost;
static int crash(struct http_request *req, struct http_response *res) {
    lost = malloc(@BLOCK@);
    if (!lost) return -1;
    memset(lost, 1, @BLOCK@);
    return *nothing; /* here */
}
export module_t config = {.name = "losing", .routes = {{"/crash", "GET", crash, NONE}}, .size = 1};
)",
                                     {{"BLOCK", std::to_string(block_bytes)}});
  ServerProcess server{
      std::vector<std::string>{"--threads", "1", "--module-memory", std::to_string(limit_bytes), "--fault-limit", "0"}};
  HttpClient client{server.port()};
  ASSERT_TRUE(deploy(client, source).deployed());
  // More than fits in at a time.
  for (int i = 0; i < 3 * most_blocks; ++i) {
    EXPECT_THAT(client.get("/crash").body, HasSubstr("null pointer: read from address 0")) << "the " << i + 1 << "th";
  }
  EXPECT_TRUE(eventually([&] { return draining_versions(client, "losing") == 0; }));
  EXPECT_EQ(module_status(client, "losing")["memory"].value("blocks", -1), 0) << "the fresh instance has its own heap";
  EXPECT_THAT(server.log(), HasSubstr("module losing version 1 is retired and left "));
}

}  // namespace
}  // namespace cweb::e2e
