#include "mgnt/management_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_toolchain.h"
#include "peers.h"
#include "runtime/runtime.h"
#include "told.h"

namespace cweb::mgnt {
namespace {

using nlohmann::json;
using std::chrono_literals::operator""ms;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* counter = "module_t config = {.name = \"counter\"};\n";

class ManagementApiTest : public testing::Test {
 protected:
  void SetUp() override { toolchain_.know(counter, {}); }
  void TearDown() override { EXPECT_TRUE(runtime_->unload_all(10'000ms)); }

  static server::ManagementRequest request(std::string method, std::string path, std::string body = "") {
    server::ManagementRequest made;
    made.method = std::move(method);
    made.path = std::move(path);
    made.headers = {{"Host", "localhost:8080"}};
    made.body = std::move(body);
    made.peer = peer_at("127.0.0.1");
    return made;
  }
  server::ManagementAnswer call(std::string method, std::string path, std::string body = "") {
    return api_.handle(request(std::move(method), std::move(path), std::move(body)));
  }
  server::ManagementAnswer call_for_json(std::string method, std::string path, std::string body = "") {
    auto asking = request(std::move(method), std::move(path), std::move(body));
    asking.headers.emplace_back("Accept", "text/html, application/json;q=0.9");
    return api_.handle(asking);
  }
  static std::string header(const server::ManagementAnswer& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }

  FakeToolchain toolchain_;
  std::unique_ptr<runtime::Runtime> runtime_ = std::move(*runtime::Runtime::create());
  Deployer deployer_{toolchain_, toolchain_, *runtime_};
  FaultDesk faults_{deployer_, runtime_->registry(), {}};
  server::ServerMetrics metrics_;
  std::unique_ptr<Access> access_ = std::move(*Access::create({}));
  ManagementApi api_{deployer_, *runtime_, *access_, metrics_, faults_};
};

TEST_F(ManagementApiTest, metrics_count_deploys_and_escape_names) {
  FakeModule module;
  module.name = "a \"quoted\" name";
  toolchain_.know("quoted", module);
  call("POST", "/mgnt", "quoted");
  call("POST", "/mgnt", "quoted");
  const auto metrics = call("GET", "/mgnt/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.content_type, StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("cweb_modules 1\n"));
  EXPECT_THAT(metrics.body, HasSubstr("cweb_deploys_total{result=\"deployed\"} 1\n"));
  EXPECT_THAT(metrics.body, HasSubstr("cweb_deploys_total{result=\"unchanged\"} 1\n"));
  EXPECT_THAT(metrics.body, HasSubstr("cweb_module_version{module=\"a \\\"quoted\\\" name\"} 1\n"));
  EXPECT_EQ(call("POST", "/mgnt/metrics").status, 405);
}

TEST_F(ManagementApiTest, post_and_put_deploy_and_answer_text_for_people) {
  const auto posted = call("POST", "/mgnt", counter);
  EXPECT_EQ(posted.status, 200);
  EXPECT_EQ(posted.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(posted.body, StartsWith("counter, version 1, is deployed\n"));
  const auto put = call("PUT", "/mgnt", counter);
  EXPECT_EQ(put.status, 200);
  EXPECT_THAT(put.body, HasSubstr("unchanged"));
}

TEST_F(ManagementApiTest, answers_json_to_who_accepts_it) {
  const auto answer = call_for_json("POST", "/mgnt", counter);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(json::parse(answer.body)["status"], "deployed");
  const auto refused = call_for_json("POST", "/mgnt");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(json::parse(refused.body)["stage"], "request");
}

TEST_F(ManagementApiTest, an_empty_body_is_answered_with_a_command_that_works) {
  const auto answer = call("POST", "/mgnt");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("curl --data-binary @modules/counter.c http://localhost:8080/mgnt"));
}

TEST_F(ManagementApiTest, check_1_deploys_nothing_and_a_strange_query_neither) {
  auto check = request("POST", "/mgnt", counter);
  check.query = "check=1";
  EXPECT_THAT(api_.handle(check).body, HasSubstr("checked and not deployed"));
  check.query = "check=yes";
  EXPECT_EQ(api_.handle(check).status, 400);
  EXPECT_EQ(call("GET", "/mgnt/modules/counter").status, 404);
}

TEST_F(ManagementApiTest, get_lists_the_modules) {
  EXPECT_EQ(json::parse(call("GET", "/mgnt").body), json::parse(R"({"modules":[]})"));
  call("POST", "/mgnt", counter);
  const json listed = json::parse(call("GET", "/mgnt").body);
  ASSERT_EQ(listed["modules"].size(), 1U);
  const json& module = listed["modules"][0];
  EXPECT_EQ(module["name"], "counter");
  EXPECT_EQ(module["version"], 1);
  EXPECT_EQ(module["state"], "live");
  EXPECT_EQ(module["routes"], json::parse(R"([{"method":"GET","path":"/counter"}])"));
  EXPECT_EQ(module["calls"], 0);
  EXPECT_EQ(module["faults"], 0);
  for (const char* key : {"author", "hash", "websockets", "deployed_at"}) EXPECT_TRUE(module.contains(key)) << key;
}

TEST_F(ManagementApiTest, one_module_and_its_source_are_found_by_name) {
  call("POST", "/mgnt", counter);
  EXPECT_EQ(json::parse(call("GET", "/mgnt/modules/counter").body)["name"], "counter");
  EXPECT_EQ(call("HEAD", "/mgnt/modules/counter").status, 200);
  EXPECT_EQ(call("GET", "/mgnt/modules/c%6Funter").status, 200);
  const auto source = call("GET", "/mgnt/modules/counter/source");
  EXPECT_EQ(source.status, 200);
  EXPECT_THAT(source.content_type, StartsWith("text/x-c"));
  EXPECT_EQ(source.body, counter);
  EXPECT_EQ(json::parse(call_for_json("GET", "/mgnt/modules/counter/source").body)["source"], counter);
  auto either = request("GET", "/mgnt/modules/counter/source", "");
  either.headers.emplace_back("Accept", "text/x-c, application/json");
  EXPECT_EQ(api_.handle(either).body, counter);
}

TEST_F(ManagementApiTest, delete_removes) {
  call("POST", "/mgnt", counter);
  EXPECT_EQ(call("DELETE", "/mgnt/modules/counter").status, 200);
  EXPECT_EQ(call("DELETE", "/mgnt/modules/counter").status, 404);
  EXPECT_EQ(call("GET", "/mgnt/modules/counter").status, 404);
  EXPECT_EQ(call("GET", "/mgnt/modules/counter/source").status, 404);
}

TEST_F(ManagementApiTest, errors_are_one_sentence_as_text_or_json) {
  EXPECT_EQ(call("GET", "/mgnt/modules/x").body, "there is no module named x\n");
  EXPECT_EQ(json::parse(call_for_json("GET", "/mgnt/modules/x").body),
            json::parse(R"({"error":"there is no module named x"})"));
}

TEST_F(ManagementApiTest, unknown_paths_are_404) {
  for (const char* path : {"/mgnt/x", "/mgnt/modules", "/mgnt/modules/", "/mgnt/modules//source", "/mgnt/modules/a/b",
                           "/mgnt/modules/a/source/"}) {
    EXPECT_EQ(call("GET", path).status, 404) << path;
  }
  EXPECT_THAT(call("PUT", "/mgnt/counter.c", counter).body, HasSubstr("curl -T"));
}

TEST_F(ManagementApiTest, other_methods_are_405_with_allow_and_options_answers_it) {
  const std::pair<const char*, const char*> allowed[] = {
      {"/mgnt", "GET, HEAD, POST, PUT, OPTIONS"},
      {"/mgnt/health", "GET, HEAD, OPTIONS"},
      {"/mgnt/modules/x", "GET, HEAD, DELETE, OPTIONS"},
      {"/mgnt/modules/x/source", "GET, HEAD, OPTIONS"},
  };
  for (const auto& [path, allow] : allowed) {
    const auto patched = call("PATCH", path);
    EXPECT_EQ(patched.status, 405) << path;
    EXPECT_EQ(header(patched, "Allow"), allow) << path;
    const auto options = call("OPTIONS", path);
    EXPECT_EQ(options.status, 204) << path;
    EXPECT_EQ(header(options, "Allow"), allow) << path;
  }
}

TEST_F(ManagementApiTest, health_says_when_the_server_goes_down_and_deploys_are_refused_then) {
  EXPECT_EQ(call("GET", "/mgnt/health").status, 200);
  auto draining = request("GET", "/mgnt/health");
  draining.draining = true;
  EXPECT_EQ(api_.handle(draining).status, 503);
  draining = request("POST", "/mgnt", counter);
  draining.draining = true;
  EXPECT_EQ(api_.handle(draining).status, 503);
  EXPECT_EQ(toolchain_.compiles(), 0);
}

TEST_F(ManagementApiTest, who_may_not_gets_a_403_and_nothing_happens) {
  auto foreign = request("POST", "/mgnt", counter);
  foreign.headers.emplace_back("Origin", "http://evil.example");
  EXPECT_EQ(api_.handle(foreign).status, 403);
  foreign.method = "OPTIONS";
  EXPECT_EQ(api_.handle(foreign).status, 403);
  EXPECT_EQ(toolchain_.compiles(), 0);
}

TEST_F(ManagementApiTest, the_key_is_asked_for_in_the_way_of_rfc_6750) {
  const auto locked = std::move(*Access::create({.admin_key = "right-key"}));
  ManagementApi api(deployer_, *runtime_, *locked, metrics_, faults_);
  auto asked = request("POST", "/mgnt", counter);
  const auto missing = api.handle(asked);
  EXPECT_EQ(missing.status, 401);
  EXPECT_EQ(header(missing, "WWW-Authenticate"), "Bearer realm=\"cweb /mgnt\"");
  asked.headers.emplace_back("Authorization", "Bearer wrong-key");
  server::ManagementAnswer wrong;
  for (int64_t i = 0; i < FailedKeys::burst; ++i) wrong = api.handle(asked);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(header(wrong, "WWW-Authenticate"), "Bearer realm=\"cweb /mgnt\", error=\"invalid_token\"");
  EXPECT_EQ(toolchain_.compiles(), 0);

  // Too many of them: nobody waits here, so the address does. Another one may go on.
  const auto limited = api.handle(asked);
  EXPECT_EQ(limited.status, 429);
  EXPECT_THAT(header(limited, "Retry-After"), testing::MatchesRegex("[1-6]"));
  asked.headers.back().second = "Bearer right-key";
  EXPECT_EQ(api.handle(asked).status, 429) << "a right key is not looked at either";
  asked.peer = peer_at("192.0.2.1");
  EXPECT_EQ(api.handle(asked).status, 200);
}

TEST_F(ManagementApiTest, events_tell_what_becomes_of_modules_in_its_order) {
  EventLog log;
  Deployer deployer{toolchain_, toolchain_, *runtime_, {.observer = &log}};
  FaultDesk desk{deployer, runtime_->registry(), {.most_faults = 1, .observer = &log}};
  ManagementApi api{deployer, *runtime_, *access_, metrics_, desk, {.events = &log}};
  const auto call = [&](const char* method, const char* path, const char* body = "") {
    return api.handle(request(method, path, body));
  };
  FakeModule broken;
  broken.compile_failure = jit::CompileFailure{.rendered = "it is broken\n"};
  toolchain_.know("broken", broken);
  call("POST", "/mgnt", counter);
  call("POST", "/mgnt", counter);
  auto check = request("POST", "/mgnt", "broken");
  check.query = "check=1";
  api.handle(check);
  call("POST", "/mgnt", "broken");
  EXPECT_EQ(call("POST", "/mgnt/modules/counter/restart").status, 200);
  runtime::FaultRecord fault;
  fault.kind = runtime::FaultRecord::Kind::stopped;
  std::snprintf(fault.reason, sizeof fault.reason, "the module called abort()");
  for (int i = 0; i < 3; ++i) {
    desk.took_place(runtime_->registry().find("counter")->live, fault,
                    {.call = "GET /counter", .request = {}, .accept = {}});
  }
  EXPECT_EQ(call("DELETE", "/mgnt/modules/counter").status, 200);
  const char* const failed = "counter, version 1, has failed: the module called abort()";
  EXPECT_THAT(told(log), testing::ElementsAre("counter, version 1, is deployed",
                                              "the module is not deployed (compile): it is broken",
                                              "counter, version 1, is restarted", failed, failed,
                                              "counter, version 1, is quarantined: it has faulted too often", failed,
                                              "counter is removed"));
  EXPECT_THAT(call("GET", "/mgnt/logs").body, HasSubstr(" counter, version 1, is restarted\n"));
  const auto page = json::parse(api.handle([] {
                                     auto asked = request("GET", "/mgnt/logs");
                                     asked.query = "after=3&limit=1";
                                     asked.headers.emplace_back("Accept", "application/json");
                                     return asked;
                                   }())
                                    .body);
  EXPECT_EQ(page["run"], log.run());
  EXPECT_EQ(page["last_id"], 8);
  EXPECT_EQ(page["events"].size(), 1U);
  EXPECT_EQ(page["events"][0]["id"], 8);
  EXPECT_EQ(call("GET", "/mgnt/events").content_type, "text/event-stream");
  EXPECT_NE(call("GET", "/mgnt/events").stream, nullptr);
  auto draining = request("GET", "/mgnt/events");
  draining.draining = true;
  EXPECT_EQ(api.handle(draining).status, 503);
}

TEST_F(ManagementApiTest, no_answer_is_kept_sniffed_or_offered_to_other_origins) {
  auto own = request("GET", "/mgnt");
  own.headers.emplace_back("Origin", "http://localhost:8080");
  auto foreign = request("GET", "/mgnt");
  foreign.headers.emplace_back("Origin", "http://evil.example");
  for (const auto& asked :
       {own, foreign, request("POST", "/mgnt"), request("OPTIONS", "/mgnt"), request("GET", "/mgnt/x")}) {
    const auto answer = api_.handle(asked);
    EXPECT_EQ(header(answer, "Cache-Control"), "no-store");
    EXPECT_EQ(header(answer, "X-Content-Type-Options"), "nosniff");
    for (const auto& [name, value] : answer.headers) EXPECT_FALSE(name.starts_with("Access-Control")) << name;
  }
}

}  // namespace
}  // namespace cweb::mgnt
