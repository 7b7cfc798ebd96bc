// What monitoring reads at /mgnt/metrics: the format to the letter, and numbers that are those of what has happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "prometheus_text.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

constexpr const char* requests_total = "cweb_http_requests_total";
constexpr const char* duration_count = "cweb_http_request_duration_seconds_count";

class MetricsTest : public testing::Test {
 protected:
  PrometheusText scrape() {
    const HttpResponse response = client_.get("/mgnt/metrics");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    PrometheusText text(response.body);
    EXPECT_THAT(text.faults(), IsEmpty());
    return text;
  }
  /// One request on a connection of its own; the status.
  int ask(const std::string& request) { return RawClient(server_.port()).exchange(request).status; }

  ServerProcess server_;
  HttpClient client_{server_.port()};
};

/// The routes are as hard to write into a label as a route can be.
const std::string awkward_module = R"(#include <cweb.h>
#include <stdlib.h>
static int answer(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "here");
    return 0;
}
static int teapot(struct http_request *req, struct http_response *res) {
    res->status = 418;
    return 0;
}
static int gone(struct http_request *req, struct http_response *res) { exit(3); }
export module_t config = {
    .name = "a \"quoted\" \\ name",
    .routes = {
        {"/awkward/[a-z\\.\"]+", "GET", answer, NONE},
        {"/teapot", "GET", teapot, NONE},
        {"/gone", "POST", gone, NONE},
    },
    .size = 3,
};
)";
const std::string awkward_name = "a \"quoted\" \\ name";

TEST_F(MetricsTest, are_well_formed_whatever_modules_are_called) {
  scrape();
  ASSERT_TRUE(deploy(client_, awkward_module).deployed());
  ASSERT_TRUE(deploy(client_, counting_module("counted", "/counted")).deployed());
  EXPECT_EQ(client_.get("/awkward/x.y").status, 200);
  const PrometheusText text = scrape();
  EXPECT_EQ(text.sum(requests_total, {{"module", awkward_name}, {"route", "/awkward/[a-z\\.\"]+"}}), 1);
  EXPECT_EQ(text.sum("cweb_modules"), 2);
}

TEST_F(MetricsTest, requests_are_counted_by_module_route_and_class_of_status) {
  ASSERT_TRUE(deploy(client_, awkward_module).deployed());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client_.get("/awkward/x").status, 200);
  EXPECT_EQ(client_.get("/teapot").status, 418);
  EXPECT_EQ(client_.send("HEAD", "/teapot").status, 418);
  EXPECT_EQ(client_.post("/gone", "").status, 500);
  const PrometheusText text = scrape();
  const auto count = [&](const char* method, const char* route, const char* status) {
    return text.sum(requests_total,
                    {{"module", awkward_name}, {"method", method}, {"route", route}, {"status", status}});
  };
  EXPECT_EQ(count("GET", "/awkward/[a-z\\.\"]+", "2xx"), 3);
  EXPECT_EQ(count("GET", "/teapot", "4xx"), 2) << "HEAD is answered by the route for GET";
  EXPECT_EQ(count("GET", "/teapot", "2xx"), 0);
  EXPECT_EQ(count("POST", "/gone", "5xx"), 1);
  EXPECT_EQ(text.sum("cweb_module_stopped_calls_total", {{"module", awkward_name}}), 1);
  EXPECT_EQ(text.sum(duration_count, {{"module", awkward_name}}), 6);
}

TEST_F(MetricsTest, pipelined_requests_are_each_counted) {
  constexpr int requests = 100;
  ASSERT_TRUE(deploy(client_, counting_module("counted", "/counted")).deployed());
  RawClient pipeline(server_.port());
  std::string bytes;
  for (int i = 0; i < requests; ++i) bytes += get_request("/counted");
  ASSERT_TRUE(pipeline.send(bytes));
  for (int i = 0; i < requests; ++i) ASSERT_EQ(pipeline.read_response().status, 200);
  const PrometheusText text = scrape();
  EXPECT_EQ(text.sum(requests_total, {{"module", "counted"}}), requests);
  EXPECT_EQ(text.sum(duration_count, {{"module", "counted"}}), requests);
}

TEST_F(MetricsTest, counts_survive_a_deploy_and_never_fall) {
  const std::string source = counting_module("counted", "/counted");
  ASSERT_TRUE(deploy(client_, source).deployed());
  PrometheusText last = scrape();
  for (int version = 2; version < 6; ++version) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(client_.get("/counted").status, 200);
    ASSERT_TRUE(deploy(client_, source + "/* " + std::to_string(version) + " */\n").deployed());
    const PrometheusText text = scrape();
    EXPECT_THAT(text.falls_since(last), IsEmpty());
    EXPECT_EQ(text.sum(requests_total, {{"module", "counted"}}), 5 * (version - 1));
    last = text;
  }
  ASSERT_TRUE(eventually([&] { return draining_versions(client_, "counted") == 0; }));
  const PrometheusText text = scrape();
  EXPECT_THAT(text.falls_since(last), IsEmpty()) << "the versions that are gone have left their counts";
  EXPECT_EQ(text.sum(requests_total, {{"module", "counted"}}), 20);
  EXPECT_EQ(text.sum("cweb_module_version", {{"module", "counted"}}), 5);
}

TEST_F(MetricsTest, nothing_that_a_client_sends_becomes_a_label) {
  for (const char* path : {"/unknown", "/unknown-2", "/a\"b", "/%0A"}) EXPECT_EQ(ask(get_request(path)), 404) << path;
  ASSERT_TRUE(deploy(client_, counting_module("counted", "/counted")).deployed());
  EXPECT_EQ(ask(request_with_body("DELETE", "/counted", "")), 405);
  const PrometheusText text = scrape();
  EXPECT_EQ(text.sum(requests_total, {{"module", ""}, {"route", ""}, {"status", "4xx"}}), 5);
  EXPECT_THAT(text.values_of("route"), Not(Contains(testing::HasSubstr("unknown"))));
  EXPECT_THAT(text.values_of("method"), Not(Contains("DELETE")));
}

TEST_F(MetricsTest, refused_requests_are_counted_by_status) {
  EXPECT_EQ(ask("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"), 413);
  EXPECT_EQ(ask(get_request("/" + std::string(9'000, 'x'))), 414);
  EXPECT_EQ(ask(get_request("/", "X-Long: " + std::string(70'000, 'x') + "\r\n")), 431);
  EXPECT_EQ(ask("FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n"), 501);
  const PrometheusText text = scrape();
  for (const char* status : {"400", "413", "414", "431", "501"}) {
    EXPECT_EQ(text.sum("cweb_http_refused_requests_total", {{"status", status}}), 1) << status;
  }
  EXPECT_EQ(text.sum("cweb_http_refused_requests_total"), 5);
}

TEST_F(MetricsTest, connections_and_bytes_are_counted) {
  const PrometheusText before = scrape();
  {
    std::vector<RawClient> clients;
    for (int i = 0; i < 5; ++i) clients.emplace_back(server_.port());
    for (RawClient& client : clients) EXPECT_EQ(client.exchange(get_request("/nothing")).status, 404);
    const PrometheusText open = scrape();
    EXPECT_EQ(open.sum("cweb_connections"), 6) << "the test's own is one of them";
    EXPECT_EQ(open.sum("cweb_connections_accepted_total"), before.sum("cweb_connections_accepted_total") + 5);
    const double sent = 5.0 * static_cast<double>(get_request("/nothing").size());
    EXPECT_GE(open.sum("cweb_http_received_bytes_total"), before.sum("cweb_http_received_bytes_total") + sent);
    EXPECT_GT(open.sum("cweb_http_sent_bytes_total"), before.sum("cweb_http_sent_bytes_total"));
  }
  EXPECT_TRUE(eventually([&] { return scrape().sum("cweb_connections") == 1; }));
}

TEST_F(MetricsTest, calls_that_lose_their_loop_are_counted_and_timed) {
  ASSERT_TRUE(deploy(client_, fill_in(R"(#include <cweb.h>
#include <unistd.h>
static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte;
    if (read(@GATE@, &byte, 1) != 1) return -1;
    return 0;
}
export module_t config = {.name = "waiting", .routes = {{"/wait", "GET", wait_for_gate, NONE}}, .size = 1};
)",
                                      {{"GATE", std::to_string(gate_fd)}}))
                  .deployed());
  RawClient waiting(server_.port());
  ASSERT_TRUE(waiting.send(get_request("/wait")));
  EXPECT_TRUE(eventually([&] { return scrape().sum("cweb_module_detached_calls", {{"module", "waiting"}}) == 1; }));
  const PrometheusText inside = scrape();
  EXPECT_GE(inside.sum("cweb_handovers_total"), 1);
  EXPECT_EQ(inside.sum(duration_count, {{"module", "waiting"}}), 0) << "a call counts when it is answered";
  server_.open_gate();
  ASSERT_EQ(waiting.read_response().status, 200);
  const PrometheusText text = scrape();
  EXPECT_EQ(text.sum(requests_total, {{"module", "waiting"}, {"status", "2xx"}}), 1);
  EXPECT_EQ(text.sum(duration_count, {{"module", "waiting"}}), 1);
  EXPECT_EQ(text.sum("cweb_http_request_duration_seconds_bucket", {{"module", "waiting"}, {"le", "0.001"}}), 0)
      << "it took longer than the loop's patience";
  EXPECT_GE(text.sum("cweb_http_request_duration_seconds_sum", {{"module", "waiting"}}), 0.001);
}

TEST_F(MetricsTest, deploys_are_counted_by_result_and_stage_and_timed) {
  const std::string source = counting_module("counted", "/counted");
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_EQ(deploy(client_, source).outcome(), "unchanged");
  EXPECT_EQ(deploy(client_, source, "?check=1").outcome(), "checked");
  EXPECT_EQ(deploy(client_, "int broken = ;\n").stage(), "compile");
  EXPECT_EQ(deploy(client_, source + "int no(void);\nint f(void) { return no(); }\n").stage(), "link");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/counted").status, 200);
  const PrometheusText text = scrape();
  EXPECT_EQ(text.sum("cweb_deploys_total", {{"result", "deployed"}}), 1);
  EXPECT_EQ(text.sum("cweb_deploys_total", {{"result", "unchanged"}}), 1);
  EXPECT_EQ(text.sum("cweb_deploys_total", {{"result", "failed"}}), 2);
  EXPECT_EQ(text.sum("cweb_deploy_failures_total", {{"stage", "compile"}}), 1);
  EXPECT_EQ(text.sum("cweb_deploy_failures_total", {{"stage", "link"}}), 1);
  EXPECT_EQ(text.sum("cweb_deploy_checks_total"), 1);
  EXPECT_EQ(text.sum("cweb_module_removals_total"), 1);
  EXPECT_EQ(text.sum("cweb_deploy_duration_seconds_count", {{"stage", "compile"}}), 3);
  EXPECT_EQ(text.sum("cweb_deploy_duration_seconds_count", {{"stage", "total"}}), 3);
  EXPECT_GT(text.sum("cweb_deploy_duration_seconds_sum", {{"stage", "total"}}), 0);
  EXPECT_EQ(text.sum(requests_total, {{"module", "counted"}}), -1) << "its series end with the module";
}

TEST_F(MetricsTest, the_memory_of_a_module_is_told) {
  ASSERT_TRUE(deploy(client_, R"(#include <cweb.h>
#include <stdlib.h>
static void *kept;
static void load(void) { kept = malloc(1 << 20); }
static int answer(struct http_request *req, struct http_response *res) { return kept == NULL; }
export module_t config = {.name = "large", .routes = {{"/large", "GET", answer, NONE}}, .size = 1, .onload = load};
)")
                  .deployed());
  const PrometheusText text = scrape();
  EXPECT_GE(text.sum("cweb_module_heap_bytes", {{"module", "large"}, {"state", "live"}}), 1 << 20);
  EXPECT_GT(text.sum("cweb_module_code_bytes", {{"module", "large"}, {"state", "live"}}), 0);
  EXPECT_EQ(text.sum("cweb_module_draining", {{"module", "large"}}), 0);
}

TEST_F(MetricsTest, the_process_is_told_of_as_every_exporter_does) {
  const PrometheusText text = scrape();
  EXPECT_GT(text.sum("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(text.sum("process_virtual_memory_bytes"), text.sum("process_resident_memory_bytes"));
  EXPECT_GT(text.sum("process_cpu_seconds_total"), 0);
  EXPECT_GT(text.sum("process_open_fds"), 5);
  EXPECT_GE(text.sum("process_max_fds"), text.sum("process_open_fds"));
  EXPECT_NEAR(text.sum("process_start_time_seconds"), static_cast<double>(time(nullptr)), 3600);
  EXPECT_EQ(text.sum("cweb_build_info"), 1);
}

TEST_F(MetricsTest, helpers_that_are_replaced_are_counted) {
  ASSERT_EQ(scrape().sum("cweb_compile_helper_restarts_total"), 0);
  const std::vector<pid_t> helpers = children_of(server_.pid());
  ASSERT_FALSE(helpers.empty());
  kill(helpers.front(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return scrape().sum("cweb_compile_helper_restarts_total") == 1; }));
}

TEST_F(MetricsTest, scrapes_under_load_are_consistent) {
  ASSERT_TRUE(deploy(client_, counting_module("counted", "/counted")).deployed());
  constexpr int requests = repetitions(2'000, 200);
  std::vector<std::thread> load;
  for (int i = 0; i < 2; ++i) {
    load.emplace_back([&] {
      RawClient client(server_.port());
      for (int n = 0; n < requests; ++n) EXPECT_EQ(client.exchange(get_request("/counted")).status, 200);
    });
  }
  PrometheusText last = scrape();
  for (int i = 0; i < 20; ++i) {
    const PrometheusText text = scrape();
    EXPECT_THAT(text.falls_since(last), IsEmpty());
    last = text;
  }
  for (std::thread& thread : load) thread.join();
  EXPECT_EQ(scrape().sum(requests_total, {{"module", "counted"}}), 2 * requests);
}

}  // namespace
}  // namespace cweb::e2e
