// A module that faults too often answers 503 until a person has looked at it: until it is deployed or restarted. Nobody
// else is concerned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "server_process.h"
#include "steady_client.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;

std::string crashing_module(const std::string& comment = "") {
  return fill_in(R"(#include <cweb.h>
/* @COMMENT@ */
static int calls;
static int *volatile nothing;

static int crash(struct http_request *req, struct http_response *res) {
    return *nothing; /* here */
}

static int count(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "count %d", ++calls);
    return 0;
}

export module_t config = {
    .name = "crashing", .routes = {{"/crash", "GET", crash, NONE}, {"/count", "GET", count, NONE}}, .size = 2};
)",
                 {{"COMMENT", comment}});
}

class FaultQuarantineTest : public testing::Test {
 protected:
  FaultQuarantineTest() { EXPECT_TRUE(deploy(client_, crashing_module()).deployed()); }
  std::string state() { return module_status(client_, "crashing").value("state", ""); }
  /// One fault more than is suffered.
  void fault_too_often() {
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(client_.get("/crash").body, HasSubstr("a fresh instance answers"));
      EXPECT_EQ(state(), "live");
    }
    EXPECT_THAT(client_.get("/crash").body, HasSubstr("the module is quarantined"));
    EXPECT_EQ(state(), "quarantined");
  }
  void expect_unquarantined() {
    EXPECT_EQ(state(), "live");
    EXPECT_EQ(client_.get("/count").body, "count 1");
  }

  ServerProcess server_{std::vector<std::string>{"--threads", "1"}};
  HttpClient client_{server_.port()};
};

TEST_F(FaultQuarantineTest, the_sixth_fault_within_ten_seconds_quarantines_the_module_and_no_other) {
  SteadyClient steady(server_.port());
  fault_too_often();
  for (const char* const path : {"/crash", "/count"}) {
    const HttpResponse refused = client_.get(path);
    EXPECT_EQ(refused.status, 503);
    EXPECT_GT(last_number(refused.header("retry-after")), 0);
    EXPECT_THAT(refused.body, HasSubstr("quarantined"));
  }
  const json list = json::parse(client_.get("/mgnt").body, nullptr, /*allow_exceptions=*/false);
  for (const json& module : list.value("modules", json::array())) {
    const bool is_crashing = module.value("name", "") == "crashing";
    EXPECT_EQ(module.value("state", ""), is_crashing ? "quarantined" : "live");
    EXPECT_EQ(module.value("faults", -1), is_crashing ? 6 : 0);
  }
  steady.wait_for_answers(5);
}

TEST_F(FaultQuarantineTest, a_restart_ends_the_quarantine_and_leaves_an_audit_line) {
  fault_too_often();
  const HttpResponse restarted = client_.post("/mgnt/modules/crashing/restart", "", {{"Accept", "application/json"}});
  EXPECT_EQ(restarted.status, 200) << restarted.body;
  const json answer = json::parse(restarted.body, nullptr, /*allow_exceptions=*/false);
  EXPECT_EQ(answer.value("status", ""), "restarted");
  EXPECT_EQ(answer.value("version", 0), 1);
  expect_unquarantined();
  EXPECT_THAT(server_.log(), ContainsRegex(" audit peer=127\\.0\\.0\\.1:[0-9]+ auth=keyless-loopback action=restart "
                                           "module=\"crashing\" version=1 .*result=restarted status=200 ms="));
  // The faults from before count no longer.
  fault_too_often();
}

TEST_F(FaultQuarantineTest, a_deploy_ends_the_quarantine_and_its_faults_are_counted_anew) {
  fault_too_often();
  const DeployAnswer answer = deploy(client_, crashing_module("mended"));
  ASSERT_TRUE(answer.deployed()) << answer;
  expect_unquarantined();
  fault_too_often();
}

TEST_F(FaultQuarantineTest, a_deploy_of_the_same_source_ends_the_quarantine) {
  fault_too_often();
  EXPECT_EQ(deploy(client_, crashing_module()).status, 200);
  expect_unquarantined();
}

TEST_F(FaultQuarantineTest, a_deploy_that_fails_leaves_the_quarantine_as_it_is) {
  fault_too_often();
  EXPECT_EQ(deploy(client_, crashing_module() + "int x = ;\n").status, 422);
  EXPECT_EQ(client_.get("/count").status, 503);
}

TEST_F(FaultQuarantineTest, a_removed_module_does_not_leave_its_quarantine_behind) {
  fault_too_often();
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/crashing").status, 200);
  ASSERT_TRUE(deploy(client_, crashing_module()).deployed());
  expect_unquarantined();
}

TEST_F(FaultQuarantineTest, a_live_module_can_be_restarted_as_well) {
  EXPECT_EQ(client_.get("/count").body, "count 1");
  EXPECT_EQ(client_.get("/count").body, "count 2");
  EXPECT_EQ(client_.post("/mgnt/modules/crashing/restart", "").status, 200);
  expect_unquarantined();
}

TEST_F(FaultQuarantineTest, the_restart_of_a_module_that_is_not_there_is_not_found) {
  EXPECT_EQ(client_.post("/mgnt/modules/nobody/restart", "").status, 404);
  EXPECT_EQ(client_.get("/mgnt/modules/crashing/restart").status, 405);
  EXPECT_THAT(server_.log(), ContainsRegex(" audit .*action=restart module=\"nobody\" .*status=404"));
}

TEST_F(FaultQuarantineTest, a_module_that_cannot_be_started_again_is_quarantined_with_the_reason) {
  // The first instance finds the gate open; later ones find it shut, and exit.
  const std::string source = fill_in(R"(#include <cweb.h>
#include <unistd.h>
#include <sys/poll.h>
static int *volatile nothing;
static void load(void) {
    char byte;
    struct pollfd gate = {.fd = @GATE@, .events = POLLIN};
    if (poll(&gate, 1, 0) != 1 || read(@GATE@, &byte, 1) != 1) exit(3);
}
static int crash(struct http_request *req, struct http_response *res) { return *nothing; }
export module_t config = {
    .name = "once", .routes = {{"/once", "GET", crash, NONE}}, .size = 1, .onload = load};
)",
                                     {{"GATE", std::to_string(gate_fd)}});
  server_.open_gate();
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_THAT(client_.get("/once").body, HasSubstr("no fresh instance could be started"));
  EXPECT_EQ(client_.get("/once").status, 503);
  EXPECT_EQ(module_status(client_, "once").value("state", ""), "quarantined");
  const HttpResponse failed = client_.post("/mgnt/modules/once/restart", "");
  EXPECT_EQ(failed.status, 422);
  EXPECT_THAT(failed.body, HasSubstr("exit(3)"));
  server_.open_gate();
  EXPECT_EQ(client_.post("/mgnt/modules/once/restart", "").status, 200);
  EXPECT_EQ(client_.get("/once").status, 500);
}

}  // namespace
}  // namespace cweb::e2e
