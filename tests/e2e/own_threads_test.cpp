// Threads that a module starts and does not end: they are counted, told of with their lines when their version is gone,
// and neither ended nor left without the code that they run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "prometheus_text.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

/// One thread waits in libc, the other computes in the module. Both end when the gate opens, with code of the module's.
const std::string staying_module = fill_in(R"(#include <cweb.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int over, ended;

static void tell(void) {
    if (++ended == 2 && write(@EVENTS@, "both ended\n", 11) < 0) abort();
}

static void *wait_for_gate(void *unused) {
    char byte;
    while (read(@GATE@, &byte, 1) != 1) { /* waits */
    }
    over = 1;
    tell();
    return unused;
}

static void *compute(void *unused) {
    while (!over) { /* computes */
    }
    tell();
    return unused;
}

static void load(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_for_gate, NULL) != 0) abort();
    pthread_detach(thread);
    if (pthread_create(&thread, NULL, compute, NULL) != 0) abort();
    pthread_detach(thread);
    @FAIL@
}

export module_t config = {.name = "staying", .onload = load, .deadline_ms = 100};
)",
                                           {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}});

/// Its unload ends what onload began.
constexpr const char* tidy_module = R"(#include <cweb.h>
#include <stdatomic.h>

static atomic_int over;
static pthread_t thread;

static void *work(void *unused) {
    while (!over) sched_yield();
    return unused;
}
static void load(void) {
    if (pthread_create(&thread, NULL, work, NULL) != 0) abort();
}
static void leave(void) {
    over = 1;
    pthread_join(thread, NULL);
}

export module_t config = {.name = "tidy", .onload = load, .unload = leave, .deadline_ms = 100};
)";

TEST(OwnThreadsTest, those_that_a_failed_deploy_leaves_behind_are_told_of_in_its_answer) {
  ServerProcess server;
  HttpClient client(server.port());
  const DeployAnswer answer = deploy(client, fill_in(staying_module, {{"FAIL", "abort();"}}));
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_EQ(answer.stage(), "onload");
  EXPECT_THAT(answer.all_sentences(), HasSubstr("2 threads that it has started still run: its memory is kept"));
  EXPECT_EQ(client.get("/mgnt/health").status, 200);
  server.open_gate();
  EXPECT_EQ(server.next_event(), "both ended");
}

TEST(OwnThreadsTest, those_that_stay_behind_are_told_of_and_keep_their_version) {
  ServerProcess server;
  HttpClient client(server.port());
  const std::string staying = fill_in(staying_module, {{"FAIL", ""}});
  ASSERT_TRUE(deploy(client, staying).deployed());
  EXPECT_EQ(module_status(client, "staying").value("threads", -1), 2);
  ASSERT_TRUE(deploy(client, answering_module("staying", "/staying", "next")).deployed());
  EXPECT_EQ(module_status(client, "staying").value("threads", -1), 2) << "those of the version that is gone";
  EXPECT_EQ(PrometheusText(client.get("/mgnt/metrics").body).sum("cweb_module_own_threads", {{"module", "staying"}}),
            2);
  ASSERT_TRUE(deploy(client, tidy_module).deployed());
  EXPECT_EQ(module_status(client, "tidy").value("threads", -1), 1);
  EXPECT_EQ(client.send("DELETE", "/mgnt/modules/tidy").status, 200);

  ASSERT_TRUE(eventually([&] { return module_status(client, "staying").value("faults", 0) == 2; })) << server.log();
  EXPECT_THAT(server.log(), HasSubstr("module staying version 1: 2 threads of its own run on 0.1 s after unload"));
  std::set<unsigned> lines;
  const nlohmann::json status = module_status(client, "staying");
  for (const auto& report : status["recent_faults"]) {
    EXPECT_EQ(report.value("call", ""), "a thread of its own that runs on after unload");
    lines.insert(report.value("line", 0U));
  }
  EXPECT_TRUE(lines.contains(marked_line(staying, "waits"))) << status;
  EXPECT_TRUE(lines.contains(marked_line(staying, "computes"))) << status;
  EXPECT_EQ(status.value("state", ""), "live");
  EXPECT_EQ(draining_versions(client, "staying"), 1);
  EXPECT_EQ(client.get("/staying").body, "next");

  server.open_gate();
  EXPECT_EQ(server.next_event(), "both ended");
  EXPECT_TRUE(eventually([&] { return draining_versions(client, "staying") == 0; }));
  EXPECT_EQ(module_status(client, "staying").value("threads", -1), 0);
  EXPECT_EQ(module_status(client, "staying").value("faults", 0), 2) << "each is told of once";
  EXPECT_THAT(server.log(), Not(HasSubstr("module tidy version 1: 1 thread")));
}

}  // namespace
}  // namespace cweb::e2e
