#include "mgnt/deployer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <latch>
#include <thread>

#include "base/log.h"
#include "fake_toolchain.h"
#include "runtime/module_stop.h"
#include "runtime/runtime.h"
#include "told.h"

namespace cweb::mgnt {
namespace {

using std::chrono_literals::operator""ms;
using testing::ElementsAre;
using testing::HasSubstr;
using Status = DeployReport::Status;

std::atomic<int> loads;
std::atomic<int> constructions;
std::latch* load_may_end;

class DeployerTest : public testing::Test {
 protected:
  /// Before there are threads that log.
  static void SetUpTestSuite() { log::set_up(); }
  void SetUp() override {
    loads = 0;
    constructions = 0;
  }
  void TearDown() override { EXPECT_TRUE(runtime_->unload_all(10'000ms)); }

  /// A source that the toolchain knows; its text names the module, so that the guess is right.
  std::string source(FakeModule module, const std::string& remark = "") {
    const std::string text = "module_t config = {.name = \"" + module.name + "\"}; /* " + remark + " */";
    toolchain_.know(text, std::move(module));
    return text;
  }
  DeployReport deploy(const std::string& text) { return deployer_.deploy({.code = text, .repaired = false}); }
  unsigned live_version(const std::string& name) {
    const auto found = runtime_->registry().find(name);
    return found ? found->live->number : 0;
  }

  FakeToolchain toolchain_;
  std::unique_ptr<runtime::Runtime> runtime_ = std::move(*runtime::Runtime::create());
  Deployer deployer_{toolchain_, toolchain_, *runtime_, {.load_deadline = 10'000ms}};
};

TEST_F(DeployerTest, a_good_source_goes_live_after_constructors_and_onload) {
  FakeModule module;
  module.constructors = {[] { constructions = loads == 0 ? 1 : -1; }};
  module.onload = [] { loads = constructions + 1; };
  const DeployReport report = deploy(source(module));
  ASSERT_EQ(report.status, Status::deployed) << to_text(report);
  EXPECT_EQ(report.http_status, 200);
  EXPECT_EQ(constructions, 1);
  EXPECT_EQ(loads, 2);
  EXPECT_EQ(report.module->version, 1U);
  EXPECT_EQ(report.module->state, "live");
  EXPECT_EQ(report.module->hash.size(), 64U);
  EXPECT_THAT(report.module->routes, ElementsAre(testing::Pair("GET", "/counter")));
  EXPECT_EQ(live_version("counter"), 1U);
}

TEST_F(DeployerTest, the_running_source_again_is_unchanged_and_its_onload_does_not_run) {
  FakeModule module;
  module.onload = [] { ++loads; };
  const std::string text = source(module);
  deploy(text);
  const DeployReport again = deploy(text);
  EXPECT_EQ(again.status, Status::unchanged);
  EXPECT_EQ(again.http_status, 200);
  EXPECT_EQ(again.module->version, 1U);
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(toolchain_.compiles(), 1);
}

TEST_F(DeployerTest, a_source_that_ran_before_the_running_one_is_deployed_again) {
  const std::string first = source({}, "first");
  const std::string second = source({}, "second");
  deploy(first);
  deploy(second);
  EXPECT_EQ(deploy(first).status, Status::deployed);
  EXPECT_EQ(live_version("counter"), 3U);
}

TEST_F(DeployerTest, a_source_that_does_not_compile_leaves_the_running_version_alone) {
  deploy(source({}));
  FakeModule broken;
  broken.compile_failure = jit::CompileFailure{.rendered = "module.c:1:1: error: no\n", .diagnostics = {{}}};
  const DeployReport report = deploy(source(broken, "broken"));
  EXPECT_EQ(report.status, Status::failed);
  EXPECT_EQ(report.http_status, 422);
  EXPECT_EQ(report.stage, "compile");
  EXPECT_EQ(report.rendered, "module.c:1:1: error: no\n");
  EXPECT_EQ(report.diagnostics.size(), 1U);
  EXPECT_EQ(report.keeps_serving, "counter, version 1");
  EXPECT_EQ(live_version("counter"), 1U);
}

TEST_F(DeployerTest, a_limit_of_the_compiler_is_the_message_itself) {
  FakeModule slow;
  slow.compile_failure = jit::CompileFailure{.rendered = "compiling took more than 8 s\n"};
  const DeployReport report = deploy(source(slow));
  EXPECT_EQ(report.http_status, 422);
  EXPECT_EQ(report.message, "compiling took more than 8 s");
}

TEST_F(DeployerTest, a_compiler_that_is_not_there_is_a_503) {
  FakeModule module;
  module.compile_failure = jit::CompileFailure{.kind = jit::CompileFailure::Kind::unavailable, .rendered = "killed"};
  EXPECT_EQ(deploy(source(module)).http_status, 503);
}

TEST_F(DeployerTest, a_missing_symbol_fails_at_link_and_keeps_the_warnings) {
  FakeModule module;
  module.warnings.resize(1);
  module.link_failure = jit::LinkFailure{.rendered = "module.c:3:1: error: nope\n", .diagnostics = {{}}};
  const DeployReport report = deploy(source(module));
  EXPECT_EQ(report.http_status, 422);
  EXPECT_EQ(report.stage, "link");
  EXPECT_EQ(report.diagnostics.size(), 2U);
  EXPECT_THAT(report.rendered, HasSubstr("error: nope"));
}

TEST_F(DeployerTest, warnings_of_a_deployed_source_are_reported) {
  FakeModule module;
  module.warnings.resize(1);
  const DeployReport report = deploy(source(module));
  EXPECT_EQ(report.status, Status::deployed);
  EXPECT_EQ(report.diagnostics.size(), 1U);
  EXPECT_FALSE(report.rendered.empty());
}

TEST_F(DeployerTest, a_bad_config_fails_at_config) {
  FakeModule module;
  module.name = "";
  const DeployReport report = deploy(source(module));
  EXPECT_EQ(report.http_status, 422);
  EXPECT_EQ(report.stage, "config");
  EXPECT_FALSE(report.message.empty());
  EXPECT_EQ(runtime_->registry().list().size(), 0U);
}

TEST_F(DeployerTest, handlers_that_take_a_context_first_go_live) {
  FakeModule module;
  module.shape = CallShape::context_first;
  EXPECT_EQ(deploy(source(module)).status, Status::deployed);
}

TEST_F(DeployerTest, a_route_of_another_module_is_a_409_that_names_owner_and_route) {
  deploy(source({.name = "owner", .routes = {{"/a", "GET"}}}));
  const DeployReport report = deploy(source({.name = "other", .routes = {{"/b", "GET"}, {"/a", "GET"}}}));
  EXPECT_EQ(report.http_status, 409);
  EXPECT_EQ(report.stage, "routes");
  EXPECT_THAT(report.message, HasSubstr("owner"));
  EXPECT_THAT(report.message, HasSubstr("GET /a"));
  ASSERT_EQ(report.diagnostics.size(), 1U);
  EXPECT_EQ(report.diagnostics[0].position.line, 11U);
  EXPECT_EQ(live_version("other"), 0U);
  EXPECT_EQ(deploy(source({.name = "third", .routes = {{"/b", "GET"}}})).status, Status::deployed);
}

TEST_F(DeployerTest, a_reserved_path_is_a_409_and_a_bad_pattern_a_422) {
  EXPECT_EQ(deploy(source({.name = "a", .routes = {{"/mgnt/x", "GET"}}})).http_status, 409);
  const DeployReport report = deploy(source({.name = "b", .routes = {{"/x(", "GET"}}}));
  EXPECT_EQ(report.http_status, 422);
  EXPECT_EQ(report.stage, "routes");
}

TEST_F(DeployerTest, socket_paths_are_listed) {
  const DeployReport report = deploy(source({.websockets = {"/live"}}));
  ASSERT_EQ(report.status, Status::deployed) << to_text(report);
  EXPECT_THAT(report.module->websockets, ElementsAre("/live"));
  EXPECT_THAT(report.notices, testing::IsEmpty());
}

TEST_F(DeployerTest, an_onload_that_does_not_return_in_time_fails_the_deploy_and_gives_its_routes_back) {
  Deployer impatient(toolchain_, toolchain_, *runtime_, {.load_deadline = 1ms});
  std::latch may_end(1);
  load_may_end = &may_end;
  FakeModule module;
  module.onload = [] { load_may_end->wait(); };
  const DeployReport report = impatient.deploy({.code = source(module, "slow"), .repaired = false});
  EXPECT_EQ(report.http_status, 422);
  EXPECT_EQ(report.stage, "onload");
  EXPECT_THAT(report.message, HasSubstr("onload did not return within"));
  EXPECT_EQ(deploy(source({}, "fast")).status, Status::deployed);
  may_end.count_down();
  EXPECT_TRUE(runtime_->spare_threads().wait_until_idle(10'000ms));
}

TEST_F(DeployerTest, beyond_the_bound_of_live_modules_a_deploy_is_refused) {
  Deployer small(toolchain_, toolchain_, *runtime_, {.max_live_versions = 1});
  EXPECT_EQ(small.deploy({.code = source({.name = "a", .routes = {{"/a", "GET"}}})}).status, Status::deployed);
  EXPECT_EQ(small.deploy({.code = source({.name = "b", .routes = {{"/b", "GET"}}})}).http_status, 503);
}

TEST_F(DeployerTest, a_check_runs_no_code_and_changes_nothing) {
  FakeModule module;
  module.constructors = {[] { ++constructions; }};
  module.onload = [] { ++loads; };
  const DeployReport report = deployer_.check({.code = source(module), .repaired = false});
  EXPECT_EQ(report.status, Status::checked) << to_text(report);
  EXPECT_EQ(report.http_status, 200);
  EXPECT_EQ(report.module->version, 0U);
  EXPECT_EQ(constructions, 0);
  EXPECT_EQ(loads, 0);
  EXPECT_EQ(live_version("counter"), 0U);
  EXPECT_EQ(deploy(source({.name = "other"})).status, Status::deployed);
}

TEST_F(DeployerTest, a_check_finds_the_conflicts_that_the_deploy_would_find) {
  deploy(source({.name = "owner"}));
  EXPECT_EQ(deployer_.check({.code = source({.name = "other"})}).http_status, 409);
}

TEST_F(DeployerTest, a_module_can_be_removed_once) {
  deploy(source({}));
  EXPECT_EQ(deployer_.remove("counter").result, Deployer::Removal::Result::removed);
  EXPECT_EQ(deployer_.remove("counter").result, Deployer::Removal::Result::no_such_module);
  EXPECT_EQ(live_version("counter"), 0U);
}

TEST_F(DeployerTest, deploys_of_one_name_take_effect_in_the_order_of_arrival_while_they_compile_in_parallel) {
  std::latch both_compile(2);
  std::latch first_compiles(1);
  std::latch second_is_compiled(1);
  FakeModule slow, fast;
  slow.while_compiling = [&] {
    first_compiles.count_down();
    both_compile.arrive_and_wait();
    second_is_compiled.wait();
  };
  fast.while_compiling = [&] {
    both_compile.arrive_and_wait();
    second_is_compiled.count_down();
  };
  const std::string slow_source = source(slow, "slow");
  const std::string fast_source = source(fast, "fast");
  DeployReport slow_report, fast_report;
  std::thread first([&] { slow_report = deploy(slow_source); });
  first_compiles.wait();
  std::thread second([&] { fast_report = deploy(fast_source); });
  first.join();
  second.join();
  ASSERT_EQ(slow_report.status, Status::deployed) << to_text(slow_report);
  ASSERT_EQ(fast_report.status, Status::deployed) << to_text(fast_report);
  EXPECT_EQ(slow_report.module->version, 1U);
  EXPECT_EQ(fast_report.module->version, 2U);
}

TEST_F(DeployerTest, a_deploy_whose_name_could_not_be_guessed_does_not_undo_a_later_one) {
  std::latch compiles(1), may_go_on(1);
  FakeModule module;
  module.while_compiling = [&] {
    compiles.count_down();
    may_go_on.wait();
  };
  const std::string unguessable = "module_t config = {NAME};";
  toolchain_.know(unguessable, module);
  DeployReport late;
  std::thread first([&] { late = deploy(unguessable); });
  compiles.wait();
  EXPECT_EQ(deploy(source({}, "later")).status, Status::deployed);
  may_go_on.count_down();
  first.join();
  EXPECT_EQ(late.http_status, 409);
  EXPECT_THAT(late.message, HasSubstr("superseded"));
  EXPECT_EQ(live_version("counter"), 1U);
}

TEST_F(DeployerTest, a_delete_waits_for_the_deploys_before_it) {
  std::latch compiles(1), may_go_on(1);
  FakeModule module;
  module.while_compiling = [&] {
    compiles.count_down();
    may_go_on.wait();
  };
  const std::string text = source(module);
  std::thread deploying([&] { EXPECT_EQ(deploy(text).status, Status::deployed); });
  compiles.wait();
  std::thread removing([&] { EXPECT_EQ(deployer_.remove("counter").result, Deployer::Removal::Result::removed); });
  may_go_on.count_down();
  deploying.join();
  removing.join();
  EXPECT_EQ(live_version("counter"), 0U);
}

/// A deployer with a journal, and another one that finds it, as in the process that takes the place of the first.
class RestoreTest : public DeployerTest {
 protected:
  static void SetUpTestSuite() {}  // the log is set up once
  void SetUp() override {
    DeployerTest::SetUp();
    auto opened = supervisor::DeployJournal::open({UniqueFd(memfd_create("a", 0)), UniqueFd(memfd_create("b", 0))});
    ASSERT_TRUE(opened);
    journal_ = std::move(*opened);
  }
  void TearDown() override {
    EXPECT_TRUE(next_runtime_->unload_all(10'000ms));
    DeployerTest::TearDown();
  }
  Deployer deployer_on(runtime::Runtime& runtime) {
    return Deployer(toolchain_, toolchain_, runtime, {.journal = journal_.get()});
  }
  static PostedSource posted(const std::string& text) { return {.code = text, .repaired = false}; }

  std::unique_ptr<supervisor::DeployJournal> journal_;
  std::unique_ptr<runtime::Runtime> next_runtime_ = std::move(*runtime::Runtime::create());
};

TEST_F(RestoreTest, modules_come_back_with_their_numbers_times_and_order_and_nothing_is_compiled) {
  Deployer first = deployer_on(*runtime_);
  FakeModule module;
  module.constructors = {[] { constructions = 1; }};
  module.onload = [] { loads = constructions + 1; };
  first.deploy(posted(source(module, "first")));
  first.deploy(posted(source(module, "second")));
  FakeModule other{.name = "a", .routes = {{"/a", "GET"}}};
  first.deploy(posted(source(other)));
  FakeModule removed{.name = "removed", .routes = {{"/removed", "GET"}}};
  first.deploy(posted(source(removed)));
  first.remove("removed");
  const auto before = runtime_->registry().find("counter")->live;
  const int compiles = toolchain_.compiles();
  loads = constructions = 0;

  Deployer second = deployer_on(*next_runtime_);
  const Deployer::Restoration done = second.restore({});
  EXPECT_EQ(done.modules, 2U);
  EXPECT_EQ(done.failed, 0U);
  EXPECT_EQ(loads, 2) << "the constructor, then onload";
  EXPECT_EQ(toolchain_.compiles(), compiles);
  const auto after = next_runtime_->registry().find("counter")->live;
  EXPECT_EQ(after->number, 2U);
  EXPECT_EQ(after->deployed_at, before->deployed_at);
  EXPECT_EQ(after->hash, before->hash);
  EXPECT_EQ(after->source, before->source);
  EXPECT_EQ(after->state(), runtime::VersionState::live);
  EXPECT_TRUE(next_runtime_->registry().find("a"));
  EXPECT_FALSE(next_runtime_->registry().find("removed"));
  EXPECT_EQ(second.deploy(posted(before->source)).status, Status::unchanged);
  const DeployReport next = second.deploy(posted(source(module, "third")));
  ASSERT_EQ(next.status, Status::deployed) << to_text(next);
  EXPECT_EQ(next.module->version, 3U);
}

TEST_F(RestoreTest, one_that_cannot_come_back_does_not_keep_the_others) {
  Deployer first = deployer_on(*runtime_);
  FakeModule broken{.name = "broken", .routes = {{"/broken", "GET"}}};
  const std::string text = source(broken);
  first.deploy(posted(text));
  first.deploy(posted(source({})));
  broken.link_failure = jit::LinkFailure{.rendered = "no", .diagnostics = {{}}};
  toolchain_.know(text, broken);
  EventLog log;
  Deployer second(toolchain_, toolchain_, *next_runtime_, {.journal = journal_.get(), .observer = &log});
  const Deployer::Restoration done = second.restore({.one_at_a_time = true, .crash_note = -1});
  EXPECT_THAT(told(log), ElementsAre("broken is not deployed (link): the module does not link",
                                     "counter, version 1, is deployed"));
  EXPECT_EQ(done.modules, 1U);
  EXPECT_EQ(done.failed, 1U);
  EXPECT_FALSE(next_runtime_->registry().find("broken"));
  EXPECT_EQ(next_runtime_->registry().find("counter")->live->number, 1U);
  EXPECT_EQ(journal_->modules().size(), 2U) << "the next process may have more luck";
  EXPECT_EQ(second.remove("broken").result, Deployer::Removal::Result::removed) << "and then it does not come back";
  EXPECT_EQ(second.remove("broken").result, Deployer::Removal::Result::no_such_module);
  EXPECT_EQ(journal_->modules().size(), 1U);
}

TEST_F(RestoreTest, one_whose_onload_or_constructor_fails_comes_back_quarantined_and_in_its_place) {
  static std::atomic<bool> fails;
  fails = false;
  const auto fail_if = [] {
    if (fails) runtime::stop_module_call("the database is down");
  };
  Deployer first = deployer_on(*runtime_);
  FakeModule loading{.name = "loading", .routes = {{"/loading", "GET"}}, .websockets = {"/socket"}};
  loading.onload = fail_if;
  FakeModule constructing{.name = "constructing", .routes = {{"/constructing", "GET"}}};
  constructing.constructors = {fail_if};
  ASSERT_EQ(first.deploy(posted(source(loading))).status, Status::deployed);
  ASSERT_EQ(first.deploy(posted(source(constructing))).status, Status::deployed);
  first.deploy(posted(source({})));
  fails = true;
  EventLog log;
  Deployer second(toolchain_, toolchain_, *next_runtime_, {.journal = journal_.get(), .observer = &log});
  const Deployer::Restoration done = second.restore({});
  EXPECT_THAT(told(log),
              ElementsAre("loading, version 1, is deployed", HasSubstr("loading, version 1, is quarantined: "),
                          "constructing, version 1, is deployed",
                          HasSubstr("constructing, version 1, is quarantined: "), "counter, version 1, is deployed"));
  EXPECT_EQ(done.modules, 3U);
  EXPECT_EQ(done.quarantined, 2U);
  EXPECT_EQ(done.failed, 0U);
  for (const char* name : {"loading", "constructing"}) {
    const auto found = next_runtime_->registry().find(name);
    ASSERT_TRUE(found) << name;
    EXPECT_TRUE(found->live->quarantined);
    EXPECT_THAT(found->live->quarantine_reason, HasSubstr("the database is down"));
    EXPECT_EQ(found->live->config.routes.size(), 1U);
    EXPECT_EQ(found->live->number, 1U);
  }
  EXPECT_FALSE(next_runtime_->registry().find("counter")->live->quarantined);
  EXPECT_NE(next_runtime_->registry().table()->find_socket("/socket").version, nullptr) << "its sockets get a 503";

  fails = false;
  const DeployReport again = second.deploy(posted(source(loading)));
  EXPECT_EQ(again.status, Status::deployed) << to_text(again);
  EXPECT_FALSE(next_runtime_->registry().find("loading")->live->quarantined);
  EXPECT_EQ(second.remove("constructing").result, Deployer::Removal::Result::removed);
  EXPECT_EQ(journal_->modules().size(), 2U);
}

TEST_F(RestoreTest, a_quarantined_module_whose_configuration_cannot_be_read_has_no_routes_and_can_be_removed) {
  Deployer first = deployer_on(*runtime_);
  FakeModule module;
  const std::string text = source(module);
  first.deploy(posted(text));
  journal_->died_in("counter");
  journal_->died_in("counter");
  module.name = "another";
  toolchain_.know(text, module);
  Deployer second = deployer_on(*next_runtime_);
  EXPECT_EQ(second.restore({}).quarantined, 1U);
  const auto found = next_runtime_->registry().find("counter");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->live->config.routes.empty());
  EXPECT_EQ(second.remove("counter").result, Deployer::Removal::Result::removed);
  EXPECT_TRUE(journal_->modules().empty());
}

TEST_F(RestoreTest, who_restarts_a_module_by_hand_has_forgiven_it_for_the_next_process_too) {
  Deployer first = deployer_on(*runtime_);
  first.deploy(posted(source({})));
  journal_->died_in("counter");
  journal_->died_in("counter");
  first.forgive("counter");
  EXPECT_EQ(journal_->modules()[0].deaths, 0U);
  Deployer second = deployer_on(*next_runtime_);
  EXPECT_EQ(second.restore({}).quarantined, 0U);
}

TEST_F(RestoreTest, after_two_deaths_a_module_is_quarantined_and_none_of_its_code_runs_until_it_is_deployed) {
  Deployer first = deployer_on(*runtime_);
  FakeModule module;
  module.constructors = {[] { ++constructions; }};
  module.onload = [] { ++loads; };
  const std::string text = source(module);
  first.deploy(posted(text));
  journal_->died_in("counter");
  journal_->died_in("counter");
  loads = constructions = 0;
  Deployer second = deployer_on(*next_runtime_);
  EXPECT_EQ(second.restore({}).modules, 1U);
  EXPECT_EQ(loads + constructions, 0);
  const auto restored = next_runtime_->registry().find("counter")->live;
  EXPECT_TRUE(restored->quarantined);
  EXPECT_THAT(restored->quarantine_reason, HasSubstr("died 2 times"));
  const DeployReport again = second.deploy(posted(text));
  EXPECT_EQ(again.status, Status::deployed) << "the same source, but not unchanged";
  EXPECT_FALSE(next_runtime_->registry().find("counter")->live->quarantined);
  EXPECT_EQ(journal_->modules()[0].deaths, 0U);
}

}  // namespace
}  // namespace cweb::mgnt
