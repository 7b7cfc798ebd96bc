// The processes that compile may die at any time, by our own limits or by anybody's hand: the deploy under way is
// answered, the next one works, and no process is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

/// Honest source that keeps the optimiser busy for a second, far below any limit.
std::string slow_to_compile(const std::string& name) {
  std::string source = "#include <cweb.h>\n";
  std::string sum = "0";
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    source += "static __attribute__((noinline)) int f" + number +
              "(int a, int b) { for (int i = 0; i < a; ++i) for (int j = 0; j < b; ++j) for (int k = 0; k < i; ++k) a "
              "+= (b ^ (i * j)) % (k + " +
              std::to_string(i + 1) + "); return a * b; }\n";
    sum += "\n + f" + number + "(x, x)";
  }
  return source + fill_in(
                      "static int answer(struct http_request *req, struct http_response *res) {\n"
                      "    int x = req->content_length + 1;\n"
                      "    snprintf(res->body, HTTP_RESPONSE_SIZE, \"%d\", @SUM@);\n"
                      "    return 0;\n"
                      "}\n"
                      "export module_t config = {.name = \"@NAME@\", .routes = {{\"/@NAME@\", \"GET\", answer, "
                      "NONE}}, .size = 1};\n",
                      {{"SUM", sum}, {"NAME", name}});
}

class HelperTest : public testing::Test {
 protected:
  HelperTest() : client_(server_.port()) {
    EXPECT_TRUE(deploy(client_, counting_module("canary", "/canary")).deployed());
  }

  std::vector<pid_t> helpers() const { return children_of(server_.pid()); }

  /// Waits until a helper has worked for a while since `before` was noted; its id, or -1.
  pid_t busy_helper(const std::vector<std::pair<pid_t, long>>& before) {
    pid_t busy = -1;
    const long tenth_of_a_second = sysconf(_SC_CLK_TCK) / 10;
    eventually([&] {
      for (const auto& [helper, ticks] : before) {
        if (processor_ticks_of(helper) > ticks + tenth_of_a_second) busy = helper;
      }
      return busy >= 0;
    });
    return busy;
  }
  std::vector<std::pair<pid_t, long>> ticks_of_helpers() const {
    std::vector<std::pair<pid_t, long>> ticks;
    for (const pid_t helper : helpers()) ticks.emplace_back(helper, processor_ticks_of(helper));
    return ticks;
  }
  /// As many helpers as at first, none of them dead, and deploys work.
  void expect_as_new(size_t count) {
    EXPECT_TRUE(eventually([&] { return helpers().size() == count; })) << helpers().size() << " of " << count;
    EXPECT_TRUE(eventually([&] { return zombies_of(server_.pid()).empty(); }));
    const DeployAnswer answer = deploy(client_, answering_module("after", "/after", std::to_string(++deploys_)));
    EXPECT_TRUE(answer.deployed()) << answer;
    EXPECT_EQ(client_.get("/after").body, std::to_string(deploys_));
    EXPECT_EQ(client_.get("/canary").body, "count " + std::to_string(++canary_calls_));
  }

  ServerProcess server_;
  HttpClient client_;
  int deploys_ = 0;
  int canary_calls_ = 0;
};

TEST_F(HelperTest, a_helper_that_is_killed_in_the_middle_of_a_compile_costs_that_deploy_at_most) {
  const size_t count = helpers().size();
  ASSERT_GE(count, 2U) << "one is warm while another is replaced";
  const auto before = ticks_of_helpers();
  DeployAnswer answer;
  std::thread posting([&] { answer = deploy(server_.port(), slow_to_compile("slow")); });
  const pid_t busy = busy_helper(before);
  EXPECT_GT(busy, 0) << "no helper was seen at work";
  if (busy > 0) kill(busy, SIGKILL);
  posting.join();
  EXPECT_THAT(answer.status, AnyOf(Eq(200), Eq(503))) << answer;
  if (answer.status == 503) {
    EXPECT_THAT(answer.error(), HasSubstr("kill"));
  } else {
    EXPECT_EQ(client_.get("/slow").status, 200);
  }
  expect_as_new(count);
}

TEST_F(HelperTest, every_helper_that_compiles_it_is_killed_and_the_deploy_is_answered) {
  const size_t count = helpers().size();
  std::atomic<bool> answered{false};
  DeployAnswer answer;
  std::thread posting([&] {
    answer = deploy(server_.port(), slow_to_compile("slow"));
    answered = true;
  });
  // Whoever gets to work is killed, also the one that tries again.
  auto before = ticks_of_helpers();
  while (!answered) {
    for (const auto& [helper, ticks] : before) {
      if (processor_ticks_of(helper) > ticks + 2) kill(helper, SIGKILL);
    }
    for (const pid_t helper : helpers()) {
      const bool known =
          std::any_of(before.begin(), before.end(), [&](const auto& entry) { return entry.first == helper; });
      // A new one is given the time to start.
      if (!known) before.emplace_back(helper, processor_ticks_of(helper) + sysconf(_SC_CLK_TCK));
    }
  }
  posting.join();
  EXPECT_THAT(answer.status, AnyOf(Eq(200), Eq(503))) << answer;
  expect_as_new(count);
}

TEST_F(HelperTest, all_idle_helpers_killed_at_once_are_replaced) {
  const std::vector<pid_t> first = helpers();
  for (const pid_t helper : first) kill(helper, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    const std::vector<pid_t> now = helpers();
    return std::none_of(first.begin(), first.end(),
                        [&](pid_t helper) { return std::find(now.begin(), now.end(), helper) != now.end(); });
  }));
  EXPECT_TRUE(eventually([&] { return deploy(client_, answering_module("again", "/again", "here")).status == 200; }));
  expect_as_new(first.size());
}

TEST_F(HelperTest, a_helper_that_another_signal_ends_is_replaced) {
  const std::vector<pid_t> first = helpers();
  kill(first.front(), SIGUSR1);
  ASSERT_TRUE(eventually([&] {
    const std::vector<pid_t> now = helpers();
    return std::find(now.begin(), now.end(), first.front()) == now.end();
  }));
  EXPECT_TRUE(eventually([&] { return deploy(client_, answering_module("again", "/again", "here")).status == 200; }));
  expect_as_new(first.size());
}

TEST_F(HelperTest, reaching_a_limit_replaces_the_helper_and_names_the_limit) {
  const size_t count = helpers().size();
  const std::string bomb = read_project_file("tests/cases/limit_macro_bomb_in_argument.c");
  client_.set_time(4 * patience);
  for (int i = 0; i < 2; ++i) {
    const DeployAnswer answer = deploy(client_, bomb);
    EXPECT_EQ(answer.status, 422) << answer;
    EXPECT_EQ(answer.stage(), "compile");
    EXPECT_THAT(answer.all_sentences(),
                AnyOf(HasSubstr("memory"), HasSubstr("longer than"), HasSubstr("processor time"), HasSubstr("stack")));
    expect_as_new(count);
  }
}

TEST_F(HelperTest, one_deploy_at_a_limit_does_not_hold_up_another) {
  client_.set_time(4 * patience);
  DeployAnswer bomb;
  const auto before = ticks_of_helpers();
  std::thread posting([&] {
    HttpClient bomber(server_.port());
    bomber.set_time(4 * patience);
    bomb = deploy(bomber, read_project_file("tests/cases/limit_macro_bomb_in_argument.c"));
  });
  EXPECT_GT(busy_helper(before), 0) << "no helper was seen at work";
  EXPECT_TRUE(deploy(client_, answering_module("meanwhile", "/meanwhile", "here")).deployed());
  EXPECT_EQ(client_.get("/meanwhile").body, "here");
  posting.join();
  EXPECT_EQ(bomb.status, 422) << bomb;
}

TEST_F(HelperTest, a_source_sees_nothing_of_the_one_before_it) {
  EXPECT_EQ(deploy(client_, "#define answer nonsense(\n#include <cweb.h>\nint broken = ;\n").status, 422);
  EXPECT_TRUE(deploy(client_, answering_module("clean", "/clean", "here")).deployed());
}

}  // namespace
}  // namespace cweb::e2e
