// What all modules share, from outside: with faults in the middle, and across the ends of
// versions and of the server process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <string>

#include "child_process.h"
#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "primitives_server.h"
#include "process_facts.h"
#include "server_process.h"
#include "supervised_server.h"
#include "temporary_directory.h"

namespace cweb::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(PrimitivesTest, what_a_fault_leaves_open_is_closed_and_others_go_on) {
  deploy_source(R"c(#include <cweb.h>
static int *volatile nothing;
static int write_row(struct http_request *req, struct http_response *res) {
    return database->exec("INSERT INTO rows VALUES (1)",
                NULL, NULL, NULL) == SQLITE_OK
      ? 0
      : -1;
}
static int in_transaction(struct http_request* req, struct http_response* res) {
  database->exec("BEGIN IMMEDIATE; INSERT INTO rows VALUES (2)", NULL, NULL, NULL);
  return *nothing;
}
static int fault(void* data, int count, char** values, char** names) {
  return *nothing;
}
static int in_callback(struct http_request* req, struct http_response* res) {
  return database->exec("SELECT * FROM rows", fault, NULL, NULL);
}
static int bad_sql(struct http_request* req, struct http_response* res) {
  return sqlite3_exec(database->db, (char*)64, NULL, NULL, NULL);
}
static int bad_statement(struct http_request* req, struct http_response* res) {
  res->status = database->step((sqlite3_stmt*)64) == SQLITE_MISUSE ? 200 : 500;
  return 0;
}
static int bad_key(struct http_request* req, struct http_response* res) {
  return cache->set((char*)64, res);
}
static int write_to_it(struct http_request* req, struct http_response* res) {
  database->db = NULL;
  return 0;
}
static int bad_token(struct http_request* req, struct http_response* res) {
  char out[100];
  return crypto->sign_token((char*)64, out, sizeof out);
}
static int endless(struct http_request* req, struct http_response* res) {
  return database->exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", NULL,
                        NULL, NULL);
}
static int keep(void* to, int columns, char** values, char** names) {
  return strcpy(to, values[0]), 0;
}
static int rows(struct http_request* req, struct http_response* res) {
  return database->exec("SELECT count(*) FROM rows", keep, res->body, NULL);
}
static void load(void) {
  database->exec("CREATE TABLE IF NOT EXISTS rows (x)", NULL, NULL, NULL);
}
export module_t config = {.name = "clumsy",
                          .author = "test",
                          .onload = load,
                          .size = 10,
                          .routes = {{"/write", "GET", write_row, NONE},
                                     {"/in_transaction", "GET", in_transaction, NONE},
                                     {"/in_callback", "GET", in_callback, NONE},
                                     {"/bad_sql", "GET", bad_sql, NONE},
                                     {"/bad_statement", "GET", bad_statement, NONE},
                                     {"/bad_key", "GET", bad_key, NONE},
                                     {"/write_to_it", "GET", write_to_it, NONE},
                                     {"/bad_token", "GET", bad_token, NONE},
                                     {"/endless", "GET", endless, NONE},
                                     {"/rows", "GET", rows, NONE}}};
)c");
  int rows = 0;
  for (const char* const path :
       {"/in_transaction", "/in_callback", "/bad_sql", "/bad_key", "/write_to_it", "/bad_token"}) {
    EXPECT_EQ(client_.get("/write").status, 200) << "before " << path;
    ++rows;
    EXPECT_EQ(client_.get(path).status, 500) << path;
    EXPECT_EQ(get("/rows"), "200 " + std::to_string(rows)) << path;
  }
  EXPECT_EQ(client_.get("/bad_statement").status, 200);
  EXPECT_EQ(client_.get("/endless").status, 504);
  EXPECT_EQ(get("/rows"), "200 " + std::to_string(rows));
  EXPECT_EQ(client_.get("/write").status, 200);
}

TEST_F(PrimitivesTest, work_and_timers_are_guarded_and_end_with_their_version) {
  const std::string source = R"c(#include <cweb.h>
#include <unistd.h>
static int *volatile nothing;
static void tell(const char *what) { if (write(@EVENTS@, what, strlen(what)) < 0) abort(); }
static void fault(void *data) { *nothing = 1; }
static void loop(void *data) { for (volatile int i = 0;; ++i); }
static void tick(void *data) { cweb_cache_put("ticks of @VERSION@", "x", 1, 0); }
static void last(void *data) { tell("worked\n"); }
static int start(struct http_request *req, struct http_response *res) {
    const char *what = map_get(req->params, "what");
    return scheduler->add(strcmp(what, "fault") == 0 ? fault : strcmp(what, "loop") == 0 ? loop : last, NULL, ASYNC);
}
static int run_now(struct http_request *req, struct http_response *res) { return scheduler->add(fault, NULL, SYNC); }
static int ticks(struct http_request *req, struct http_response *res) {
    char name[40], byte;
    snprintf(name, sizeof name, "ticks of %s", (char *)map_get(req->params, "of"));
    res->status = cweb_cache_fetch(name, &byte, 1) == 1 ? 200 : 404;
    cweb_cache_expire(name, 0);
    return 0;
}
static void load(void) { cweb_every_ms(1, tick, NULL); }
static void unload(void) { tell("unloaded\n"); }
export module_t config = {.name = "worker", .author = "test", .onload = load, .unload = unload, .size = 3, .routes = {
    {"/start", "GET", start, NONE}, {"/now", "GET", run_now, NONE}, {"/ticks", "GET", ticks, NONE}}};
)c";
  const auto version = [&](const char* number) {
    return fill_in(source, {{"EVENTS", std::to_string(events_fd)}, {"VERSION", number}});
  };
  deploy_source(version("1"));
  const auto ticks = [&](const std::string& of) { return client_.get("/ticks?of=" + of).status == 200; };
  EXPECT_TRUE(eventually([&] { return ticks("1"); }));
  EXPECT_EQ(client_.get("/now").status, 500) << "SYNC is part of the call";
  EXPECT_EQ(server_.next_event(), "unloaded");
  EXPECT_EQ(client_.get("/start?what=fault").status, 200);
  EXPECT_EQ(server_.next_event(), "unloaded") << "of the instance that has failed";
  EXPECT_EQ(client_.get("/start?what=loop").status, 200);
  EXPECT_EQ(server_.next_event(), "unloaded") << "after the deadline";
  EXPECT_EQ(module_status(client_, "worker").value("faults", 0), 3);
  EXPECT_THAT(server_.log(), HasSubstr("work of the scheduler"));
  EXPECT_EQ(client_.get("/start?what=last").status, 200);
  EXPECT_EQ(server_.next_event(), "worked");
  EXPECT_TRUE(eventually([&] { return ticks("1"); })) << "the fresh instance has its timer";

  deploy_source(version("2"));
  EXPECT_EQ(server_.next_event(), "unloaded");
  EXPECT_TRUE(eventually([&] { return ticks("2"); }));
  ticks("1");  // what the old one has left is taken away
  EXPECT_TRUE(eventually([&] { return ticks("2"); }));
  EXPECT_FALSE(ticks("1"));
}

TEST_F(PrimitivesTest, a_key_is_the_modules_whose_code_makes_it_whoever_calls_that) {
  deploy_source(R"c(#include <cweb.h>
#include <pthread.h>
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static void make(void) { pthread_key_create(&key, NULL); }
export int keeps(void) {
    pthread_once(&once, make);
    return pthread_setspecific(key, &key) == 0 && pthread_getspecific(key) == &key;
}
static int own(struct http_request *req, struct http_response *res) {
    strcpy(res->body, keeps() ? "kept" : "lost");
    return 0;
}
export module_t config = {.name = "keeper", .author = "test", .routes = {{"/own", "GET", own, NONE}}, .size = 1};
)c");
  const std::string caller = R"c(#include <cweb.h>
static int asks(struct http_request *req, struct http_response *res) {
    int (*keeps)(void) = symbols->resolv("keeper", "keeps");
    strcpy(res->body, keeps() ? "kept" : "lost");
    return 0;
}
export module_t config = {.name = "asker", .author = "test", .routes = {{"/asks", "GET", asks, NONE}}, .size = 1};
)c";
  deploy_source(caller);
  EXPECT_EQ(get("/asks"), "200 kept");
  EXPECT_EQ(get("/own"), "200 kept");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/asker").status, 200);
  EXPECT_EQ(get("/own"), "200 kept") << "who called first is gone";
  deploy_source(caller);
  EXPECT_EQ(get("/asks"), "200 kept");
}

TEST_F(PrimitivesTest, pointers_of_a_version_that_is_gone) {
  const std::string user = R"c(#include <cweb.h>
static int (*kept)(void);
static int look_up(struct http_request *req, struct http_response *res) {
    int (*number)(void) = symbols->resolv("giver", "number");
    if (number == NULL) return -1;
    if (kept == NULL) kept = number;
    snprintf(res->body, 100, "%d %d", kept(), number());
    return 0;
}
static int read_cache(struct http_request *req, struct http_response *res) {
    const char *text = cache->get("text"), *block = cache->get("block");
    snprintf(res->body, 100, "%s %s", text == NULL ? "none" : text, block == NULL ? "none" : block);
    return 0;
}
static int stash(struct http_request *req, struct http_response *res) {
    void **block = malloc(sizeof *block);
    *block = symbols->resolv("giver", "number");
    return container_set(cache, "stash", block);
}
static int call_stash(struct http_request *req, struct http_response *res) {
    int (**number)(void) = cache->get("stash");
    snprintf(res->body, 100, "%d", (*number)());
    return 0;
}
export module_t config = {.name = "user", .author = "test", .size = 4,
    .routes = {{"/look-up", "GET", look_up, NONE}, {"/cache", "GET", read_cache, NONE},
               {"/stash", "GET", stash, NONE}, {"/call-stash", "GET", call_stash, NONE}}};
)c";
  const auto giver = [](const std::string& number) {
    return fill_in(R"c(#include <cweb.h>
static char text[] = "static @NUMBER@";
int number(void) { return @NUMBER@; }
static void load(void) { cache->set("text", text); cache->set("block", strdup("block @NUMBER@")); }
export module_t config = {.name = "giver", .author = "test", .onload = load};
)c",
                   {{"NUMBER", number}});
  };
  deploy_source(user);
  EXPECT_EQ(client_.get("/look-up").status, 500) << "there is no such module yet";
  deploy_source(giver("1"));
  EXPECT_EQ(get("/look-up"), "200 1 1");
  EXPECT_EQ(get("/cache"), "200 static 1 block 1");
  deploy_source(giver("2"));
  EXPECT_EQ(get("/look-up"), "200 1 2")
      << "the old one stays for who has its address, and the next look-up is the new one's";
  EXPECT_EQ(get("/cache"), "200 static 2 block 1") << "the first value stays, but for an older version's variable";
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/giver").status, 200);
  EXPECT_TRUE(eventually([&] { return get("/cache") == "200 static 2 block 1"; })) << "who kept it keeps the variable";
  EXPECT_EQ(client_.get("/look-up").status, 500);

  deploy_source(giver("3"));
  EXPECT_EQ(client_.get("/stash").status, 200);
  EXPECT_EQ(get("/call-stash"), "200 3");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/giver").status, 200);
  deploy_source(user + "/* a version that has asked for nothing */");
  EXPECT_TRUE(eventually([&] { return get("/cache") == "200 none block 1"; })) << get("/cache");
  EXPECT_THAT(server_.log(), HasSubstr("cache: \"text\" is dropped"));
  EXPECT_EQ(client_.get("/call-stash").status, 500) << "its pages are gone: a fault like others";
  EXPECT_EQ(get("/cache"), "200 none block 1");
}

TEST_F(PrimitivesTest, a_fault_in_another_modules_code_is_told_with_its_lines) {
  const std::string caller = R"c(#include <cweb.h>
static int (*poke)(int *);
_Thread_local char mine;
static int take(struct http_request *req, struct http_response *res) {
    poke = symbols->resolv("giver", "poke");
    return poke == NULL ? -1 : 0;
}
static int crash(struct http_request *req, struct http_response *res) { return poke(NULL); /* crashes */ }
static int by_name(struct http_request *req, struct http_response *res) {
    return ((int (*)(void))symbols->resolv("giver", map_get(req->params, "name")))(); /* by name */
}
static int call_back(int *p) { return *p; /* called back */ }
static int there_and_back(struct http_request *req, struct http_response *res) {
    return ((int (*)(int (*)(int *)))symbols->resolv("giver", "apply"))(call_back); /* there */
}
static int local(struct http_request *req, struct http_response *res) {
    mine = 7;
    ((void (*)(void))symbols->resolv("giver", "fill"))();
    return snprintf(res->body, 100, "%d", mine), 0;
}
export module_t config = {.name = "caller", .author = "test", .size = 5,
    .routes = {{"/take", "GET", take, NONE}, {"/crash", "GET", crash, NONE}, {"/by-name", "GET", by_name, NONE},
               {"/back", "GET", there_and_back, NONE}, {"/local", "GET", local, NONE}}};
)c";
  const std::string giver = R"c(#include <cweb.h>
static _Thread_local char its[1000];
int poke(int *p) { return *p; /* here */ }
int stop(void) { abort(); /* stops */ }
int loop(void) { for (volatile int i = 0;; ++i); /* loops */ }
static int compare(const void *a, const void *b) { return *(volatile int *)8; /* compares */ }
int sort(void) { int two[2] = {2, 1}; qsort(two, 2, sizeof *two, compare); /* sorts */ return two[0]; }
int apply(int (*function)(int *)) { return function(NULL); /* applies */ }
void fill(void) { memset(its, 1, sizeof its); }
export module_t config = {.name = "giver", .author = "test", .onload = fill};
)c";
  const auto report = [&](const std::string& path) {
    const HttpResponse response = client_.get(path, {{"Accept", "application/json"}});
    EXPECT_GE(response.status, 500);
    return nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  };
  // The lines of the chain, each with the module it is in where that is another one.
  const auto chain = [&](const nlohmann::json& report) {
    std::string text;
    for (const auto& each : report["chain"]) {
      text += each.value("module", "") + ":" + std::to_string(each.value("line", 0)) + " ";
    }
    return text;
  };
  const auto at = [&](const std::string& module, const std::string& mark) {
    return module + ":" + std::to_string(marked_line(module.empty() ? caller : giver, mark)) + " ";
  };
  deploy_source(giver);
  deploy_source(caller);
  EXPECT_EQ(get("/take"), "200 ");
  deploy_source("/* everything is a line further down */\n" + giver);
  const nlohmann::json crash = report("/crash");
  EXPECT_EQ(crash.value("module", ""), "caller") << "it is called, so it is counted";
  EXPECT_EQ(crash.value("in_module", ""), "giver");
  EXPECT_EQ(crash.value("in_version", 0), 1) << "that which was called, though there is a newer one";
  EXPECT_EQ(crash.value("file", ""), "giver/module.c");
  EXPECT_EQ(crash.value("function", ""), "poke");
  EXPECT_THAT(crash.value("source_line", ""), HasSubstr("/* here */"));
  EXPECT_EQ(chain(crash), at("giver", "here") + at("", "crashes"));
  EXPECT_THAT(server_.log(), HasSubstr("in module caller, version 1: null pointer: read from address 0 (SIGSEGV) at "
                                       "giver/" +
                                       marked_place(giver)));
  EXPECT_THAT(server_.log(), HasSubstr(" in poke of giver version 1, called by caller\n"));

  deploy_source(giver);
  EXPECT_EQ(chain(report("/by-name?name=stop")), at("giver", "stops") + at("", "by name"));
  EXPECT_THAT(chain(report("/by-name?name=sort")), StartsWith(at("giver", "compares") + at("giver", "sorts")));
  EXPECT_EQ(chain(report("/by-name?name=loop")), at("giver", "loops") + at("", "by name"));
  const nlohmann::json back = report("/back");
  EXPECT_EQ(chain(back), at("", "called back") + at("giver", "applies") + at("", "there"));
  EXPECT_FALSE(back.contains("in_module")) << "the innermost is its own";
  EXPECT_EQ(module_status(client_, "caller").value("faults", 0), 5);
  EXPECT_EQ(module_status(client_, "giver").value("faults", -1), 0);

  EXPECT_EQ(get("/local"), "200 7") << "each has its own thread-local variables";
}

const std::string signing_module = R"c(#include <cweb.h>
static int sign(struct http_request *req, struct http_response *res) { return crypto->sign_token("ann", res->body, 100); }
static int keep(void *to, int columns, char **values, char **names) { return strcpy(to, values[0]), 0; }
static int write_row(struct http_request *req, struct http_response *res) {
    return database->exec("CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1); SELECT count(*) FROM t", keep, res->body,
                          NULL);
}
export module_t config = {.name = "signing", .author = "test", .size = 2,
    .routes = {{"/sign", "GET", sign, NONE}, {"/row", "GET", write_row, NONE}}};
)c";

TEST(PrimitivesRestartTest, tokens_outlive_the_process_and_with_a_directory_the_server) {
  const TemporaryDirectory directory;
  const std::string database = directory.path() + "/shared.db", modules = directory.path() + "/modules";
  std::string signature;
  {
    SupervisedServer server;
    ASSERT_TRUE(deploy(server.port(), signing_module).deployed());
    signature = HttpClient(server.port()).get("/sign").body;
    EXPECT_EQ(signature.size(), 43U);
    server.kill_serving();
    EXPECT_EQ(HttpClient(server.port()).get("/sign").body, signature);
  }
  std::string other;
  for (int round = 1; round <= 2; ++round) {
    ServerProcess server({"--modules", modules, "--database", database});
    if (round == 1) {
      ASSERT_TRUE(deploy(server.port(), signing_module).deployed());
    }
    HttpClient client(server.port());
    if (round == 1) other = client.get("/sign").body;
    EXPECT_EQ(client.get("/sign").body, other);
    EXPECT_NE(other, signature);
    EXPECT_EQ(client.get("/row").body, std::to_string(round)) << "the file of --database";
    EXPECT_TRUE(server.stop());
  }
}

TEST(LinkOptionTest, offers_a_library_and_a_bad_one_is_a_sentence) {
  const std::string user = R"c(#include <cweb.h>
unsigned lzma_version_number(void);
static int show(struct http_request *req, struct http_response *res) {
    snprintf(res->body, 100, "%d", lzma_version_number() > 50000000);
    return 0;
}
export module_t config = {.name = "user", .author = "test", .routes = {{"/user", "GET", show, NONE}}, .size = 1};
)c";
  {
    const ServerProcess server;
    const DeployAnswer answer = deploy(server.port(), user);
    EXPECT_EQ(answer.status, 422);
    EXPECT_THAT(answer.all_sentences(), HasSubstr("undefined symbol 'lzma_version_number'"));
    EXPECT_THAT(answer.all_sentences(), HasSubstr("`cweb serve --link libNAME.so` offers another one"));
  }
  {
    const ServerProcess server({}, {"CWEB_LINK=libm.so.6:liblzma.so.5"});
    ASSERT_TRUE(deploy(server.port(), user).deployed());
    EXPECT_EQ(HttpClient(server.port()).get("/user").body, "1");
  }
  for (const char* const option : {"--no-supervisor", "--compile-in-process"}) {
    const Finished finished = run_program({cweb_binary(), "serve", "--port", "0", option, "--link", "libnowhere.so"});
    EXPECT_EQ(finished.exit_code, 2) << finished.err;
    EXPECT_THAT(finished.err, HasSubstr("cannot load libnowhere.so, which --link names"));
  }
  const Finished finished =
      run_program({cweb_binary(), "serve", "--port", "0", "--no-supervisor", "--database", "/nowhere/shared.db"});
  EXPECT_EQ(finished.exit_code, 2) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("the database /nowhere/shared.db cannot be opened"));
}

}  // namespace
}  // namespace cweb::e2e
