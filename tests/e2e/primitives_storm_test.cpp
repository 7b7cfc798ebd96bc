// What all modules share while each of them is replaced again and again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "primitives_server.h"

namespace cweb::e2e {
namespace {

using namespace std::chrono_literals;

constexpr auto interval = 20ms;  // between two deploys
constexpr auto pause = 5ms;      // of a client: the compiler needs the rest of the machine

class PrimitivesStormTest : public PrimitivesTest {};

/// Uses all of them with each request: "fine", or the line that does not hold. VERSION is another one for each deploy.
std::string busy_module(int version) {
  return fill_in(R"c(#include <cweb.h>
#include <stdatomic.h>

#define HOLDS(what) do { if (!(what)) { snprintf(res->body, 100, "line %d", __LINE__); return 0; } } while (0)

static int here = @VERSION@;
int shared_number(void) { return here; }
static void work(void *data) { free(data); }
static void tick(void *data) { cweb_cache_put("tick", data, sizeof here, 1000); }

static int use(struct http_request *req, struct http_response *res) {
    char name[32], read[32], token[] = "token", signature[CWEB_SIGNATURE_SIZE];
    snprintf(name, sizeof name, "%lu", (unsigned long)pthread_self());
    HOLDS(cache->set("static", &here) == 0 && cache->get("static") != NULL);
    HOLDS(container_set(cache, name, strdup(name)) == 0 && strcmp(cache->get(name), name) == 0);
    HOLDS(cweb_cache_put(name, name, sizeof name, 0) == 0 && cweb_cache_fetch(name, read, sizeof read) == sizeof read);
    HOLDS(scheduler->add(work, malloc(100), ASYNC) == 0 && scheduler->add(work, malloc(100), SYNC) == 0);
    void *block = malloc(10);
    if (cweb_after_ms(1, work, block) < 0) free(block); /* this version has just been replaced */
    HOLDS(database->exec("INSERT INTO busy VALUES (1)", NULL, NULL, NULL) == SQLITE_OK);
  int (*shared)(void) = symbols->resolv("@OTHER@", "shared_number");
  HOLDS(shared == NULL || shared() >= 0);
  HOLDS(crypto->sign_token(token, signature, sizeof signature) == 0);
  HOLDS(crypto->verify_token(signature, token, sizeof token) == 0);
  strcpy(res->body, "fine");
  return 0;
}

static void load(void) {
  database->exec("CREATE TABLE IF NOT EXISTS busy (x)", NULL, NULL, NULL);
  cweb_every_ms(2, tick, &here);
}

static int count_row(void* to, int columns, char** values, char** names) {
  return strcpy(to, values[0]), 0;
}

static int rows(struct http_request* req, struct http_response* res) {
  return database->exec("SELECT count(*) FROM busy", count_row, res->body, NULL);
}

export module_t config = {.name = "@NAME@",
                          .author = "test",
                          .onload = load,
                          .routes = {{"/@NAME@", "GET", use, NONE}, {"/@NAME@/rows", "GET", rows, NONE}},
                          .size = 2};
)c",
                 {{"NAME", version % 2 == 0 ? "even" : "odd"},
                  {"OTHER", version % 2 == 0 ? "odd" : "even"},
                  {"VERSION", std::to_string(version)}});
}

TEST_F(PrimitivesStormTest, a_storm_of_deploys_disturbs_nobody_who_uses_them) {
  const char* const wanted = getenv("CWEB_STORM_ROUNDS");
  const int rounds = wanted != nullptr ? atoi(wanted) : repetitions(100, 10);
  for (int version = 0; version < 2; ++version) deploy_source(busy_module(version));
  std::atomic<bool> ends = false;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, path = i % 2 == 0 ? "/even" : "/odd"] {
      HttpClient client(server_.port());
      while (!ends) {
        const HttpResponse response = client.get(path);
        EXPECT_EQ(response.status, 200) << response.error;
        EXPECT_EQ(response.body, "fine");
        ++answered;
        std::this_thread::sleep_for(pause);
      }
    });
  }
  // Each module has its own deployer, so that one compiles while the other is linked and swapped.
  std::vector<std::thread> deployers;
  const auto begin = std::chrono::steady_clock::now();
  for (const int first : {2, 3}) {
    deployers.emplace_back([&, first] {
      HttpClient client(server_.port());
      for (int version = first; version < rounds; version += 2) {
        std::this_thread::sleep_until(begin + version * interval);
        EXPECT_TRUE(deploy(client, busy_module(version)).deployed());
      }
    });
  }
  for (std::thread& deployer : deployers) deployer.join();
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
  RecordProperty("ms_per_deploy", std::to_string(taken.count() / rounds));
  ends = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(get("/even/rows"), "200 " + std::to_string(answered)) << "no row is lost";
  for (const char* const name : {"even", "odd"}) {
    EXPECT_TRUE(eventually([&] { return draining_versions(client_, name) == 0; }));
    EXPECT_EQ(module_status(client_, name).value("faults", -1), 0);
  }
}

}  // namespace
}  // namespace cweb::e2e
