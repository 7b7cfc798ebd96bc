// What goes wrong in a handler ends its call and nothing else: the client is told the line, a fresh instance answers
// the next request, and whoever asks another module notices nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"
#include "steady_client.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Headers wants_json = {{"Accept", "application/json"}};

class FaultTest : public testing::Test {
 protected:
  explicit FaultTest(std::vector<std::string> options = {"--threads", "1"}) : server_(std::move(options)) {}

  ServerProcess server_;
  HttpClient client_{server_.port()};
};

TEST_F(FaultTest, each_case_is_answered_with_its_line_and_a_fresh_instance_answers_next) {
  const std::vector<FaultCase> cases = read_fault_cases(FaultFrame::handler);
  ASSERT_GT(cases.size(), 45U);
  SteadyClient steady(server_.port());
  for (const FaultCase& fault : cases) {
    SCOPED_TRACE(fault.name + ": " + fault.sentence);
    const DeployAnswer deployed = deploy(client_, fault.source);
    ASSERT_TRUE(deployed.deployed()) << deployed;
    EXPECT_EQ(client_.get("/count/" + fault.name).body, "count 1");
    EXPECT_EQ(client_.get("/count/" + fault.name).body, "count 2");
    const HttpResponse response = client_.get("/fault/" + fault.name, wants_json);
    EXPECT_EQ(response.status, fault.status) << response.error;
    expect_report(json::parse(response.body, nullptr, /*allow_exceptions=*/false), fault);
    EXPECT_EQ(client_.get("/count/" + fault.name).body, "count 1") << "statics are as at deploy";
    const json status = module_status(client_, fault.name);
    EXPECT_EQ(status.value("state", ""), "live");
    EXPECT_EQ(status.value("version", 0), 1);
    EXPECT_EQ(status.value("faults", 0), 1);
    steady.wait_for_answers(3);
    if (HasFatalFailure()) return;
  }
}

const std::string lock_keeper = R"(#include <cweb.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int *volatile nothing;

static int fault(struct http_request *req, struct http_response *res) {
    pthread_mutex_lock(&mutex);
    *nothing = 1; /* here */
    pthread_mutex_unlock(&mutex);
    return 0;
}

static int polite(struct http_request *req, struct http_response *res) {
    pthread_mutex_lock(&mutex);
    snprintf(res->body, HTTP_RESPONSE_SIZE, "had the lock");
    pthread_mutex_unlock(&mutex);
    return 0;
}

export module_t config = {
    .name = "lock_keeper",
    .routes = {{"/fault", "GET", fault, NONE}, {"/polite", "GET", polite, NONE}},
    .size = 2,
    .deadline_ms = 2000,
};
)";

TEST_F(FaultTest, a_lock_that_was_held_does_not_hold_up_the_next_request) {
  ASSERT_TRUE(deploy(client_, lock_keeper).deployed());
  EXPECT_THAT(client_.get("/fault").body, HasSubstr(marked_place(lock_keeper)));
  EXPECT_EQ(client_.get("/polite").body, "had the lock");
  EXPECT_TRUE(eventually([&] { return draining_versions(client_, "lock_keeper") == 0; }));
}

const std::string printer = R"(#include <cweb.h>

static const char *volatile bad_text = (const char *)0x10;

static int fault(struct http_request *req, struct http_response *res) {
    printf("%s and %d\n", bad_text, 1); /* here */
    return 0;
}

static int print(struct http_request *req, struct http_response *res) {
    printf("printed %d\n", 42);
    fflush(stdout);
    return 0;
}

export module_t config = {
    .name = "printer", .routes = {{"/fault", "GET", fault, NONE}, {"/print", "GET", print, NONE}}, .size = 2};
)";

TEST_F(FaultTest, standard_output_is_usable_after_a_fault_inside_printf) {
  ASSERT_TRUE(deploy(client_, printer).deployed());
  EXPECT_THAT(client_.get("/fault").body, HasSubstr(marked_place(printer)));
  EXPECT_EQ(client_.get("/print").status, 200);
  EXPECT_TRUE(eventually([&] { return server_.log().find("printed 42\n") != std::string::npos; }));
}

TEST_F(FaultTest, a_library_that_met_the_end_of_the_stack_has_let_go_of_its_locks) {
  for (const FaultCase& fault : read_fault_cases(FaultFrame::handler)) {
    if (fault.name != "recursion_in_library") continue;
    ASSERT_TRUE(deploy(client_, fault.source).deployed());
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(client_.get("/fault/" + fault.name).body, HasSubstr("stack overflow")) << i;
    }
    return;
  }
  FAIL() << "there is no such case";
}

TEST_F(FaultTest, pipelined_requests_around_a_fault_are_answered_in_their_order) {
  ASSERT_TRUE(deploy(client_, lock_keeper).deployed());
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(get_request("/polite") + get_request("/fault") + get_request("/polite")));
  EXPECT_EQ(client.read_response().body, "had the lock");
  EXPECT_EQ(client.read_response().status, 500);
  EXPECT_EQ(client.read_response().body, "had the lock");
}

TEST_F(FaultTest, the_answer_to_a_head_request_has_no_body) {
  ASSERT_TRUE(deploy(client_, lock_keeper).deployed());
  RawClient client(server_.port());
  ASSERT_TRUE(client.send("HEAD /fault HTTP/1.1\r\nHost: a\r\n\r\n" + get_request("/polite")));
  EXPECT_EQ(client.read_response(/*no_body=*/true).status, 500);
  EXPECT_EQ(client.read_response().body, "had the lock");
}

}  // namespace
}  // namespace cweb::e2e
