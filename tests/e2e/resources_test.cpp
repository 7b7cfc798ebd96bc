// Thousands of deploys leave the server as large as it was after the first hundreds: what one deploy kept, this many of
// them would show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

constexpr int settled = repetitions(200, 60);
constexpr int deploys = repetitions(2'000, 260);
constexpr int further = deploys - settled;

class ResourcesTest : public testing::Test {
 protected:
  void start(std::vector<std::string> options) {
    server_ = std::make_unique<ServerProcess>(std::move(options));
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  /// What is there when no old version is on its way out any more.
  ProcessFacts facts_at_rest(const std::string& name) {
    EXPECT_TRUE(eventually([&] { return draining_versions(*client_, name) == 0; }));
    return facts_of(server_->pid());
  }
  void expect_flat(const ProcessFacts& before, const ProcessFacts& after) {
    EXPECT_LT(after.mappings, before.mappings + further / 4);
    EXPECT_LE(after.descriptors, before.descriptors + 4);
    EXPECT_LE(after.threads, before.threads + 4);
    // A kept object file, source or image has some 5 KiB at least. The sanitizers keep freed memory back by design.
    if (!sanitized) {
      EXPECT_LT(after.resident_kb, before.resident_kb + further * 3);
    }
  }
  /// Deploys up to `count` versions of a module in turn, each of which is called, allocates, and has state.
  void deploy_up_to(int count) {
    for (; done_ < count && !HasFailure(); ++done_) {
      const DeployAnswer answer = deploy(*client_, version(done_));
      ASSERT_TRUE(answer.deployed()) << answer;
      const HttpResponse response = client_->get("/leaky");
      ASSERT_EQ(response.body, "version " + std::to_string(done_ % 2)) << response.error;
    }
  }
  static std::string version(int number) {
    return fill_in(R"(#include <cweb.h>
static char *kept;
static _Thread_local int calls;
static void load(void) { kept = malloc(100000); memset(kept, 1, 100000); }
static int answer(struct http_request *req, struct http_response *res) {
    char *copy = malloc(64);
    ++calls;
    json_t *numbers = json_pack("[i, i]", 1, 2);
    if (numbers == NULL) return -1;
    snprintf(copy, 64, "version @N@");
    res->body = copy;
    return 0;
}
export module_t config = {
    .name = "leaky", .routes = {{"/leaky", "GET", answer, NONE}}, .size = 1, .onload = load};
)",
                   {{"N", std::to_string(number % 2)}});
  }

  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<HttpClient> client_;
  int done_ = 0;
};

TEST_F(ResourcesTest, thousands_of_deploys_of_one_module_leave_server_and_helpers_flat) {
  start({});
  deploy_up_to(settled);
  const ProcessFacts before = facts_at_rest("leaky");
  const std::vector<pid_t> helpers = children_of(server_->pid());
  std::vector<ProcessFacts> helpers_before;
  for (const pid_t helper : helpers) helpers_before.push_back(facts_of(helper));
  deploy_up_to(deploys);
  expect_flat(before, facts_at_rest("leaky"));
  EXPECT_EQ(children_of(server_->pid()), helpers) << "the same helpers serve on";
  for (size_t i = 0; i < helpers.size(); ++i) {
    SCOPED_TRACE("helper " + std::to_string(i));
    expect_flat(helpers_before[i], facts_of(helpers[i]));
  }
}

TEST_F(ResourcesTest, compiling_in_process_is_as_flat) {
  start({"--compile-in-process"});
  deploy_up_to(settled);
  const ProcessFacts before = facts_at_rest("leaky");
  deploy_up_to(deploys);
  expect_flat(before, facts_at_rest("leaky"));
}

TEST_F(ResourcesTest, failed_deploys_leave_nothing_either) {
  start({});
  const auto fail_up_to = [&](int count) {
    for (; done_ < count && !HasFailure(); ++done_) {
      const std::string number = std::to_string(done_);
      const std::string module = answering_module("failing" + number, "/failing", number);
      const DeployAnswer answer =
          done_ % 2 == 0 ? deploy(*client_, module + "int missing(void);\nint use(void) { return missing(); }\n")
                         : deploy(*client_, fill_in(module, {}) + "int broken = ;\n");
      ASSERT_EQ(answer.status, 422) << answer;
    }
  };
  fail_up_to(settled);
  const ProcessFacts before = facts_of(server_->pid());
  fail_up_to(deploys);
  expect_flat(before, facts_of(server_->pid()));
}

TEST_F(ResourcesTest, connections_that_come_and_go_leave_no_descriptor) {
  start({});
  ASSERT_TRUE(deploy(*client_, answering_module("short", "/short", "here")).deployed());
  const ProcessFacts before = facts_of(server_->pid());
  for (int i = 0; i < repetitions(2'000, 300); ++i) {
    HttpClient once(server_->port());
    ASSERT_EQ(once.get("/short").body, "here");
  }
  EXPECT_TRUE(eventually([&] { return facts_of(server_->pid()).descriptors <= before.descriptors + 4; }));
}

}  // namespace
}  // namespace cweb::e2e
