// Who is told what of a fault: the client in the form that it asked for, whoever may look at /mgnt, and the log.
// Secrets of a request are told to nobody, and in production a client learns no more than a number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deploying.h"
#include "fault_case.h"
#include "pace.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string crashing_module = R"(#include <cweb.h>

static int *volatile nothing;

__attribute__((noinline)) static int poke(int value) {
	if (value < 1 && nothing == NULL) *nothing = value; /* here */ /* "<b>" */
    return value;
}

static int crash(struct http_request *req, struct http_response *res) { return poke(0) + 1; }
static int other(struct http_request *req, struct http_response *res) { return poke(-1) + 1; }

export module_t config = {
    .name = "crashing",
    .routes = {{"/crash", "GET", crash, NONE}, {"/crash", "POST", crash, NONE}, {"/other", "GET", other, NONE}},
    .size = 3,
};
)";

class FaultReportTest : public testing::Test {
 protected:
  explicit FaultReportTest(std::vector<std::string> options = {"--threads", "1"},
                           std::vector<std::string> environment = {})
      : server_(std::move(options), std::move(environment)) {}
  void SetUp() override { ASSERT_TRUE(deploy(client_, crashing_module).deployed()); }
  json recent_faults() { return module_status(client_, "crashing").value("recent_faults", json::array()); }

  ServerProcess server_;
  HttpClient client_{server_.port()};
};

TEST_F(FaultReportTest, a_terminal_gets_text_with_the_source_line_and_the_call_chain) {
  const HttpResponse response = client_.get("/crash?a=1", {{"Accept", "*/*"}});
  const std::string line = std::to_string(marked_line(crashing_module));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.header("content-type"), StartsWith("text/plain"));
  EXPECT_EQ(response.header("cache-control"), "no-store");
  EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
  EXPECT_THAT(response.body, ContainsRegex("^fault [0-9a-f]{12} in module crashing, version 1: "));
  EXPECT_THAT(response.body, HasSubstr("null pointer: write to address 0 (SIGSEGV) at module.c:" + line));
  EXPECT_THAT(response.body, HasSubstr(line + " | \tif (value < 1 && nothing == NULL) *nothing = value;"));
  EXPECT_THAT(response.body, ContainsRegex("      \\| \t +\\^\n  in   module\\.c:" + line +
                                           ":[0-9]+ in poke\n"
                                           "  from module\\.c:[0-9:]+ in crash\n"));
  EXPECT_THAT(response.body, HasSubstr("during GET /crash\n    GET /crash?a 1\n"));
  EXPECT_THAT(response.body, ContainsRegex("a fresh instance answers, [0-9.]+ ms later\n$"));
  EXPECT_THAT(server_.log(), HasSubstr(response.body)) << "the log has the whole report";
}

TEST_F(FaultReportTest, a_browser_gets_a_page_with_the_source_escaped) {
  const HttpResponse response = client_.get("/crash?a=<script>", {{"Accept", "text/html,application/xhtml+xml,*/*"}});
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.header("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(response.body, StartsWith("<!doctype html>"));
  EXPECT_THAT(response.body,
              AllOf(HasSubstr("if (value &lt; 1 &amp;&amp; nothing == NULL) *nothing = value;"),
                    HasSubstr("/* &quot;&lt;b&gt;&quot; */"), Not(HasSubstr("<b>")), Not(HasSubstr("<script>"))));
}

TEST_F(FaultReportTest, a_program_gets_json) {
  const HttpResponse response = client_.get("/crash?a=1", {{"Accept", "application/json"}, {"X-Asked", "for it"}});
  EXPECT_EQ(response.header("content-type"), "application/json");
  const json report = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(report.is_object()) << response.body;
  EXPECT_THAT(report.value("id", ""), ContainsRegex("^[0-9a-f]{12}$"));
  EXPECT_THAT(report.value("time", ""), ContainsRegex("^[0-9-]+T[0-9:]+\\.[0-9]{3}Z$"));
  EXPECT_EQ(report.value("module", ""), "crashing");
  EXPECT_EQ(report.value("version", 0), 1);
  EXPECT_EQ(report.value("hash", ""), module_status(client_, "crashing").value("hash", "?"));
  EXPECT_EQ(report.value("what", ""), "null pointer: write to address 0 (SIGSEGV)");
  EXPECT_EQ(report.value("signal", ""), "SIGSEGV");
  EXPECT_EQ(report.value("address", ""), "0x0");
  EXPECT_EQ(report.value("file", ""), "module.c");
  EXPECT_EQ(report.value("line", 0U), marked_line(crashing_module));
  EXPECT_EQ(report.value("function", ""), "poke");
  EXPECT_EQ(report.value("call", ""), "GET /crash");
  EXPECT_THAT(report.value("request", ""), AllOf(StartsWith("GET /crash?a 1\n"), HasSubstr("X-Asked: for it\n")));
  EXPECT_EQ(report.value("times", 0), 1);
}

TEST_F(FaultReportTest, the_last_faults_of_a_module_are_listed_newest_first_and_the_same_is_counted) {
  for (const char* const path : {"/crash", "/other", "/crash", "/crash"}) EXPECT_EQ(client_.get(path).status, 500);
  const json status = module_status(client_, "crashing");
  EXPECT_EQ(status.value("faults", 0), 4);
  ASSERT_EQ(status["recent_faults"].size(), 2U) << status.dump(2);
  EXPECT_EQ(status["recent_faults"][0].value("call", ""), "GET /crash");
  EXPECT_EQ(status["recent_faults"][0].value("times", 0), 3);
  EXPECT_EQ(status["recent_faults"][1].value("call", ""), "GET /other");
  EXPECT_EQ(status["recent_faults"][1].value("times", 0), 1);
}

TEST_F(FaultReportTest, the_faults_of_all_modules_are_listed_newest_first) {
  std::string second = crashing_module;
  for (const auto& [from, to] : {std::pair{"\"crashing\"", "\"second\""},
                                 {"\"/crash\"", "\"/second\""},
                                 {"\"/crash\"", "\"/second\""},
                                 {"\"/other\"", "\"/another\""}}) {
    second.replace(second.find(from), std::string(from).size(), to);
  }
  ASSERT_TRUE(deploy(client_, second).deployed());
  for (const char* const path : {"/crash", "/second", "/other"}) {
    EXPECT_EQ(client_.get(path).status, 500);
    // The list is sorted by milliseconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const json all = json::parse(client_.get("/mgnt/faults").body, nullptr, /*allow_exceptions=*/false);
  ASSERT_EQ(all["faults"].size(), 3U) << all.dump(2);
  EXPECT_EQ(all["faults"][0].value("call", ""), "GET /other");
  EXPECT_EQ(all["faults"][1].value("module", ""), "second");
  EXPECT_EQ(all["faults"][2].value("call", ""), "GET /crash");
  EXPECT_EQ(client_.post("/mgnt/faults", "").status, 405);
}

TEST_F(FaultReportTest, a_report_stays_when_its_module_is_removed_and_deployed_again) {
  EXPECT_EQ(client_.get("/crash").status, 500);
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/crashing").status, 200);
  const json all = json::parse(client_.get("/mgnt/faults").body, nullptr, /*allow_exceptions=*/false);
  EXPECT_EQ(all["faults"].size(), 1U);
  ASSERT_TRUE(deploy(client_, crashing_module).deployed());
  EXPECT_EQ(recent_faults().size(), 1U);
}

TEST_F(FaultReportTest, secrets_of_the_request_are_nowhere) {
  const Headers secrets = {{"Authorization", "Bearer hidden-one"}, {"authorization", "Basic hidden-two"},
                           {"COOKIE", "session=hidden-three"},     {"X-API-Key", "hidden-four"},
                           {"Proxy-Authorization", "hidden-five"}, {"X-Open", "to be seen"}};
  for (const std::string accept : {"*/*", "text/html", "application/json"}) {
    Headers headers = secrets;
    headers.emplace_back("Accept", accept);
    const HttpResponse response = client_.get("/crash", headers);
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(response.body, AllOf(HasSubstr("to be seen"), Not(HasSubstr("hidden-"))));
  }
  EXPECT_THAT(client_.get("/mgnt/modules/crashing").body, AllOf(HasSubstr("to be seen"), Not(HasSubstr("hidden-"))));
  EXPECT_THAT(client_.get("/mgnt/faults").body, Not(HasSubstr("hidden-")));
  EXPECT_THAT(server_.log(), AllOf(HasSubstr("to be seen"), Not(HasSubstr("hidden-"))));
}

TEST_F(FaultReportTest, of_a_body_the_first_kibibyte_is_shown) {
  const std::string body = std::string(1023, 'a') + "z" + std::string(9000, 'b');
  const HttpResponse response = client_.post("/crash", body);
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, AllOf(HasSubstr("\n    " + body.substr(0, 1024) + "\n"), Not(HasSubstr("zb")),
                                   HasSubstr("... (10024 bytes in all)")));
  EXPECT_EQ(client_.post("/crash", std::string("\x1b[31m\0\xff", 7)).status, 500);
  EXPECT_THAT(server_.log(), AllOf(HasSubstr("\\x1b[31m\\x00\\xff"), Not(HasSubstr("\x1b"))));
}

TEST_F(FaultReportTest, what_another_module_has_left_on_the_stack_is_no_caller) {
  const std::string bystander = R"(#include <cweb.h>
__attribute__((noinline)) static int down(int depth) { return depth == 0 ? 0 : down(depth - 1) + *(volatile int *)&depth; }
static int use_stack(struct http_request *req, struct http_response *res) { return down(500) < 0; }
export module_t config = {.name = "bystander", .routes = {{"/use-stack", "GET", use_stack, NONE}}, .size = 1};
)";
  const std::string culprit = R"c(#include <cweb.h>
#include <sqlite3.h>
static int *volatile nothing;
static int compare(const void *one, const void *other) { return *nothing; }
__attribute__((noinline)) static int sort(void) {
    int numbers[200] = {3, 1, 2};
    qsort(numbers, 200, sizeof numbers[0], compare);
    return numbers[0];
}
static int in_sort(struct http_request *req, struct http_response *res) { return sort() + 1; }
static int authorize(void *data, int action, const char *a, const char *b, const char *c, const char *d) { return *nothing; }
static sqlite3 *own;
static int in_sqlite(struct http_request *req, struct http_response *res) {
    return sqlite3_exec(own, "SELECT count(*) FROM sqlite_master WHERE name IN (SELECT 1)", NULL, NULL, NULL);
}
static void load(void) {
    if (sqlite3_open(":memory:", &own) == SQLITE_OK) sqlite3_set_authorizer(own, authorize, NULL);
}
export module_t config = {.name = "culprit", .onload = load, .size = 2,
    .routes = {{"/in-sort", "GET", in_sort, NONE}, {"/in-sqlite", "GET", in_sqlite, NONE}}};
)c";
  ASSERT_TRUE(deploy(client_, bystander).deployed());
  ASSERT_TRUE(deploy(client_, culprit).deployed());
  for (const auto& [path, chain] : {std::pair{"/in-sort", "compare sort"}, {"/in-sqlite", "authorize in_sqlite"}}) {
    EXPECT_EQ(client_.get("/use-stack").status, 200);
    const HttpResponse response = client_.get(path, {{"Accept", "application/json"}});
    const json report = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(report.contains("chain")) << response.body;
    std::string names;
    for (const json& each : report["chain"]) names += each.value("module", "") + each.value("function", "") + " ";
    EXPECT_THAT(names, StartsWith(std::string(chain) + " ")) << path;
    EXPECT_THAT(names, Not(HasSubstr("bystander"))) << path;
  }
}

class ProductionFaultReportTest : public FaultReportTest {
 protected:
  static inline const std::string key = "kq7-Zc9_vR2m.Xw4pT8s-Yb6n.Lh3dJ5g";
  ProductionFaultReportTest()
      : FaultReportTest({"--threads", "1", "--production", "--plain-http"}, {"CWEB_ADMIN_KEY=" + key}) {}
  void SetUp() override {
    const HttpResponse deployed = client_.post("/mgnt", crashing_module, {{"Authorization", "Bearer " + key}});
    ASSERT_EQ(deployed.status, 200) << deployed.body;
  }
};

TEST_F(ProductionFaultReportTest, a_client_in_production_is_told_the_number_under_which_the_log_has_the_report) {
  for (const std::string accept : {"*/*", "text/html", "application/json"}) {
    const HttpResponse response = client_.get("/crash", {{"Accept", accept}});
    EXPECT_EQ(response.status, 500);
    ASSERT_THAT(response.body, ContainsRegex("^the module has failed: fault [0-9a-f]{12} in the server's log\n$"));
    const std::string id = response.body.substr(response.body.find("fault "), 18);
    EXPECT_THAT(server_.log(), HasSubstr(id + " in module crashing"));
  }
  EXPECT_THAT(server_.log(), HasSubstr(marked_place(crashing_module)));
  EXPECT_EQ(client_.get("/mgnt/faults").status, 401);
}

}  // namespace
}  // namespace cweb::e2e
