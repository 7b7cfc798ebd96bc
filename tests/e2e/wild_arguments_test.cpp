// What modules give to the functions they share, or free, and must not: their call ends, and nobody else notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "primitives_server.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

class WildArgumentsTest : public PrimitivesTest {};

/// A call of each line, as GET /wild?n=..., which is to be a fault: `wild` is where no memory is, and `fixed` where
/// nothing can be written.
const std::vector<std::string> wild_calls{
    "map_insert(own, wild, res)",
    "map_get(own, wild) != NULL",
    "map_get(req->headers, wild) != NULL",
    "map_remove(req->params, wild)",
    "map_size(wild)",
    "map_size(odd)",
    "(map_destroy(odd), 0)",
    "map_insert(req->params, wild, res)",
    "http_kv_insert(req->params, wild, wild)",
    "http_kv_insert(req->params, \"key\", wild)",
    "(map_insert(req->params, \"key\", res), req->params->entries[0].key = wild, map_insert(req->params, \"b\", res))",
    "(map_insert(req->params, \"key\", res), req->params->entries[0].key = wild, http_kv_get(req->params, \"b\") != "
    "NULL)",
    "(req->params->host = wild, map_size(req->params))",
    "(req->params->host = fixed, map_insert(req->params, \"key\", res))",
    "map_insert(res->headers, \"Key\", wild)",
    "(own->entries = (void *)wild, own->size = 1, map_get(own, \"key\") != NULL)",
    "(map_insert(own, \"key\", res), own->entries[0].key = wild, map_destroy(own), 0)",
    "cache->set(wild, res)",
    "cache->get(wild) != NULL",
    "container_set(cache, wild, res)",
    "container_remove(wild)",
    "cweb_cache_put(wild, \"a\", 1, 0)",
    "cweb_cache_put(\"wild\", wild, 1, 0)",
    "cweb_cache_put(\"wild\", res->body, (size_t)1 << 40, 0)",
    "cweb_cache_fetch(wild, res->body, 1)",
    "(cweb_cache_put(\"wild\", \"abc\", 3, 0), cweb_cache_fetch(\"wild\", wild, 3))",
    "(cweb_cache_put(\"wild\", \"abc\", 3, 0), cweb_cache_fetch(\"wild\", fixed, SIZE_MAX))",
    "cweb_cache_expire(wild, 1)",
    "scheduler->add((void (*)(void *))wild, NULL, SYNC)",
    "database->exec(wild, NULL, NULL, NULL)",
    "database->exec(\"SELECT 1\", wild, NULL, NULL)",
    "database->exec(\"SELECT 1\", NULL, NULL, wild)",
    "database->exec(\"no SQL\", NULL, NULL, fixed)",
    "database->prepare(wild, -1, &statement, NULL)",
    "database->prepare(\"SELECT 1\", -1, wild, NULL)",
    "database->prepare(\"SELECT 1\", -1, fixed, NULL)",
    "database->prepare(\"SELECT 1\", -1, &statement, wild)",
    "(database->prepare(\"SELECT ?\", &statement), database->bind_text(statement, 1, wild, 5, SQLITE_TRANSIENT))",
    "(database->prepare(\"SELECT ?\", &statement), database->bind_text(statement, 1, wild, -1, SQLITE_STATIC))",
    "(database->prepare(\"SELECT ?\", &statement), database->bind_text(statement, 1, \"a\", 1, wild))",
    "sqlite3_bind_text64(prepared(), 1, wild, 100, SQLITE_STATIC, SQLITE_UTF8)",
    "sqlite3_bind_text64(prepared(), 1, wild, -1, SQLITE_STATIC, SQLITE_UTF16LE)",
    "sqlite3_bind_text64(prepared(), 1, res->body, 1 << 30, SQLITE_STATIC, SQLITE_UTF8)",
    "sqlite3_bind_text64(prepared(), 1, \"a\", 1, wild, SQLITE_UTF8)",
    "sqlite3_bind_text16(prepared(), 1, wild, 100, SQLITE_STATIC)",
    "sqlite3_bind_text16(prepared(), 1, wild, -1, SQLITE_TRANSIENT)",
    "sqlite3_bind_blob(prepared(), 1, wild, 100, SQLITE_STATIC)",
    "sqlite3_bind_blob64(prepared(), 1, wild, 100, SQLITE_STATIC)",
    "sqlite3_bind_value(prepared(), 1, wild)",
    "sqlite3_bind_pointer(prepared(), 1, res, \"type\", wild)",
    "(error = strdup(\"a\"), sqlite3_bind_text64(prepared(), 1, error, 1, free, SQLITE_UTF8), free(error), 0)",
    "sqlite3_prepare16_v2(database->db, wild, -1, &statement, NULL)",
    "sqlite3_blob_open(database->db, \"main\", \"t\", \"c\", 1, 1, wild)",
    "sqlite3_backup_init(wild, \"main\", database->db, \"main\") != NULL",
    "sqlite3_txn_state(database->db, wild)",
    "(sqlite3_deserialize(database->db, NULL, wild, 1, 1, SQLITE_DESERIALIZE_FREEONCLOSE), 0)",
    "(database->free(wild), 0)",
    "(sqlite3_free(wild), 0)",
    "sqlite3_realloc(wild, 10) != NULL",
    "(database->exec(\"no SQL\", NULL, NULL, &error), database->free(error), database->free(error), 0)",
    "(database->exec(\"no SQL\", NULL, NULL, &error), sqlite3_free(error), sqlite3_free(error), 0)",
    "(database->free(fixed), 0)",
    "symbols->resolv(wild, \"name\") != NULL",
    "symbols->resolv(\"module\", wild) != NULL",
    "crypto->sign_token(wild, res->body, 100)",
    "crypto->sign_token(\"text\", wild, 100)",
    "crypto->sign_token(\"text\", fixed, 100)",
    "crypto->verify_token(wild, \"text\", 4)",
    "crypto->verify_token(\"text\", wild, 4)",
    "jobs_create(\"job\", \"{}\", wild)",
    "cweb_ws_broadcast(wild, \"x\", 1)",
    "cweb_ws_broadcast(\"/nobody\", wild, 1)",
    "cweb_ws_broadcast_binary(\"/nobody\", res->body, (size_t)1 << 30)",
    "cweb_ws_count(wild)",
    "cweb_ws_next(wild, NULL) != NULL",
    "__emutls_get_address(wild) != NULL",
    "__emutls_get_address(odd) != NULL",
    "__emutls_get_address((void *)((uintptr_t)fixed / 64 * 64)) != NULL",
    "__emutls_get_address((void *)zeroes) != NULL",
    "__emutls_get_address(variable(sizeof(int), 4, SIZE_MAX / 8, NULL)) != NULL",
    "__emutls_get_address(variable(sizeof(int), 4, 1000000, NULL)) != NULL",
    "__emutls_get_address(variable(SIZE_MAX - 3, 8, 0, NULL)) != NULL",
    "__emutls_get_address(variable((size_t)1 << 40, 8, 0, NULL)) != NULL",
    "__emutls_get_address(variable(sizeof(int), 3, 0, NULL)) != NULL",
    "__emutls_get_address(variable(sizeof(int), SIZE_MAX / 2 + 1, 0, NULL)) != NULL",
    "__emutls_get_address(variable(sizeof(int), 4, 0, wild)) != NULL",
    "__emutls_get_address(variable((size_t)1 << 30, 8, 0, (void *)text)) != NULL",
    "__emutls_get_address(calloc(4, sizeof(size_t))) != NULL",
    "(cache = NULL, 0)",
    "(database->db = NULL, 0)",
};

/// Another module, which is to notice nothing.
constexpr const char* steady_module = R"c(#include <cweb.h>
static int use_all(struct http_request *req, struct http_response *res) {
    char out[CWEB_SIGNATURE_SIZE];
    int failed = database->exec("CREATE TABLE IF NOT EXISTS steady (x); INSERT INTO steady VALUES (1)", NULL, NULL, NULL);
    failed |= cache->set("steady", "text") | cweb_cache_put("steady", "text", 4, 0) | crypto->sign_token("text", out, sizeof out);
    strcpy(res->body, failed ? "failed" : "all work");
    return 0;
}
export module_t config = {.name = "steady", .author = "test", .routes = {{"/steady", "GET", use_all, NONE}}, .size = 1};
)c";

TEST_F(WildArgumentsTest, a_wild_argument_is_a_fault_of_its_call_and_of_nothing_else) {
  std::string cases;
  for (size_t i = 0; i < wild_calls.size(); ++i) {
    cases += "    case " + std::to_string(i) + ": return (int)(" + wild_calls[i] + ");\n";
  }
  deploy_source(R"c(#include <cweb.h>
static void *volatile wild = (void *)0x10;
static const char text[] = "a text of the module's that nothing can write to";
static void *volatile fixed = (void *)(text + 1);
static void *volatile odd = (void *)0x11;
static const size_t zeroes[4] __attribute__((used)) = {0};
extern void *__emutls_get_address(void *);
static struct { size_t size, alignment; uintptr_t index; const void *initial_value; } emulated;
static void *variable(size_t size, size_t alignment, uintptr_t index, const void *initial_value) {
    emulated.size = size;
    emulated.alignment = alignment;
    emulated.index = index;
    emulated.initial_value = initial_value;
    return &emulated;
}
static sqlite3_stmt *prepared(void) {
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(database->db, "SELECT length(?1 || ?1)", -1, &statement, NULL);
    return statement;
}
static int call(struct http_request *req, struct http_response *res) {
    sqlite3_stmt *statement = NULL;
    char *error = NULL;
    struct map *own = map_create(1);
    map_insert(own, "other", res);
    switch (atoi(map_get(req->headers, "x-call"))) {
)c" + cases + R"c(    }
    return 0;
}
export module_t config = {.name = "wild", .author = "test", .routes = {{"/wild", "GET", call, NONE}}, .size = 1};
)c");
  deploy_source(steady_module);
  for (size_t i = 0; i < wild_calls.size(); ++i) {
    SCOPED_TRACE(wild_calls[i]);
    const HttpResponse response = client_.send("GET", "/wild", "", {{"X-Call", std::to_string(i)}});
    EXPECT_EQ(response.status, 500) << response.error << response.body;
    EXPECT_THAT(response.body, HasSubstr("in module wild"));
    ASSERT_EQ(get("/steady"), "200 all work");
  }
}

/// What is wrong, and what the answer says of it. `n` is a size that differs each time.
struct WrongFree {
  const char* call;
  const char* sentence;
};
constexpr WrongFree wrong_frees[] = {
    {"block = sqlite3_mprintf(\"%*s\", n, \"\"); sqlite3_free(block); sqlite3_free(block);",
     "sqlite3_free() was given a block that is freed already"},
    {"block = sqlite3_mprintf(\"%*s\", n, \"\"); free(block); sqlite3_free(block);",
     "sqlite3_free() was given a block that is freed already"},
    {"block = sqlite3_malloc(n); sqlite3_free(block); free(block);", "free() was given a"},
    {"block = sqlite3_malloc(n); database->free(block); database->free(block);",
     "database->free() was given a block that is freed already"},
    {"block = sqlite3_malloc(n); free(block); block = sqlite3_realloc(block, 2 * n);",
     "sqlite3_realloc() was given a block that is freed already"},
    {"database->prepare(\"SELECT replace(hex(zeroblob(5000)), '0', '01')\", &statement); database->step(statement);"
     " free((void *)database->column_text(statement, 0));",
     "free() was given memory that cweb or a library is using"},
    {"database->prepare(\"SELECT 123456\", &statement); database->step(statement);"
     " sqlite3_free((void *)sqlite3_column_text16(statement, 0));",
     "sqlite3_free() was given memory that cweb or a library is using"},
    {"block = sqlite3_realloc((void *)0x123456789010, n);", "sqlite3_realloc() was given a"},
    {"*(volatile sqlite3_uint64 *)res->body = sqlite3_msize((void *)0x123456789010);", "sqlite3_msize() was given a"},
    {"sqlite3_free((void *)0x123456789010);", "sqlite3_free() was given a"},
    {"database->free((void *)0x123456789010);", "database->free() was given a"},
    {"block = OPENSSL_malloc(n + 1); OPENSSL_free(block); OPENSSL_free(block);",
     "OPENSSL_free() was given a block that is freed already"},
    {"block = OPENSSL_malloc(n + 1); free(block); OPENSSL_clear_free(block, n);",
     "OPENSSL_clear_free() was given a block that is freed already"},
    {"OPENSSL_free((void *)0x123456789010);", "OPENSSL_free() was given a"},
    {"OPENSSL_free(res);", "OPENSSL_free() was given memory of the request, the response or the message"},
    {"free(req->path);", "free() was given memory of the request, the response or the message, which is cweb's"},
    {"free(req->body);", "free() was given memory of the request"},
    {"req->body = realloc(req->body, 10000);", "realloc() was given memory of the request"},
    {"free(map_get(req->headers, \"x-call\"));", "free() was given memory of the request"},
    {"free(map_get(req->params, \"q\"));", "free() was given memory of the request"},
    {"free(map_get(req->data, \"field\"));", "free() was given memory of the request"},
    {"free(req->headers->entries);", "free() was given memory of the request"},
    {"map_insert(res->headers, \"x-a\", \"b\"); free(res->headers->entries);",
     "free() was given memory of the request"},
    {"map_insert(res->headers, \"x-a\", \"b\"); free(map_get(res->headers, \"x-a\"));",
     "free() was given memory of the request"},
    {"free(stdout);", "free() was given stdout or stderr, which are cweb's"},
    // On another thread.
    {"scheduler->add(free, req->headers->entries, SYNC); free(req->headers->entries);",
     "free() was given memory of the request"},
    // The first is in a gigabyte in which the process has no memory, and is asked about twice.
    {"free((void *)0x123456789010);", "free() was given an address that is not a block of memory"},
    {"free((void *)0x123456789010);", "free() was given an address that is not a block of memory"},
    {"free((char *)&n + 1);", "free() was given an address that is not a block of memory"},
    {"free(&n);", "free() was given an address that is not a block of memory"},
    {"free((void *)(uintptr_t)printf);", "free() was given an address that is not a block of memory"},
    {"*(volatile size_t *)res->body = malloc_usable_size((void *)0x123456789010);",
     "malloc_usable_size() was given an address that is not a block"},
};

TEST_F(WildArgumentsTest, a_wrong_free_is_its_call_s_and_the_server_lives_on) {
  std::string cases;
  for (size_t i = 0; i < std::size(wrong_frees); ++i) {
    cases += "    case " + std::to_string(i) + ": " + wrong_frees[i].call + " break;\n";
  }
  deploy_source(R"c(#include <cweb.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <stdint.h>
static void *volatile block;
static int call(struct http_request *req, struct http_response *res) {
    sqlite3_stmt *statement = NULL;
    int n = atoi(map_get(req->headers, "x-size"));
    switch (atoi(map_get(req->headers, "x-call"))) {
)c" + cases + R"c(    case 97: {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_MD_CTX_free(context);
        EVP_MD_CTX_free(context);
        return 0;
    }
    case 98:
        database->prepare("SELECT 123456", &statement);
        database->step(statement);
        free((void *)sqlite3_value_text16(sqlite3_column_value(statement, 0)));
        return database->finalize(statement);
    }
    free(sqlite3_mprintf("%*s", n, ""));
    return 0;
}
export module_t config = {.name = "wrong", .author = "test", .routes = {{"/wrong", "POST", call, NONE}}, .size = 1};
)c");
  deploy_source(steady_module);
  const auto ask = [&](size_t call, int size) {
    return client_.send("POST", "/wrong?q=1", "field=value",
                        {{"Content-Type", "application/x-www-form-urlencoded"},
                         {"X-Call", std::to_string(call)},
                         {"X-Size", std::to_string(size)}});
  };
  // What a library has made for a call and frees once more itself. Under a sanitizer that is the end of the process.
  if (!sanitized) {
    EXPECT_EQ(ask(98, 0).status, 200);
    EXPECT_THAT(ask(97, 0).body, HasSubstr("OpenSSL was made to free a block that is freed already"));
    ASSERT_EQ(get("/steady"), "200 all work");
  }
  // The first two, which any module makes, in a hundred sizes.
  constexpr size_t most_often = 2;
  for (int round = 0; round < 100; ++round) {
    const int size = 1 + round * round * 13;
    ASSERT_EQ(ask(99, size).status, 200) << "free() of a block of SQLite's";
    for (size_t i = 0; i < (round == 0 ? std::size(wrong_frees) : most_often); ++i) {
      SCOPED_TRACE(wrong_frees[i].call);
      const HttpResponse response = ask(i, size);
      EXPECT_EQ(response.status, 500) << response.error << response.body;
      EXPECT_THAT(response.body, HasSubstr(wrong_frees[i].sentence));
      ASSERT_EQ(get("/steady"), "200 all work");
    }
  }
}

}  // namespace
}  // namespace cweb::e2e
