// Publishing, retiring and unloading, with a loop that is nothing but a gate.
#include "runtime/registry.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "runtime/invoke.h"
#include "runtime/runtime.h"
#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

using namespace std::chrono_literals;

std::atomic<int> unloads{0};
void count_unload() {
  ++unloads;
}

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() : runtime_(*Runtime::create()), gate_(0, [] {}, [] {}) {
    unloads = 0;
    runtime_->add_loop(gate_);
  }
  ~RegistryTest() override {
    runtime_->remove_loop(gate_);
    EXPECT_TRUE(runtime_->unload_all(30s));
  }
  Registry& registry() { return runtime_->registry(); }
  void deploy(const std::shared_ptr<ModuleVersion>& version) {
    auto claim = registry().claim(version);
    ASSERT_TRUE(claim) << claim.error().owner;
    registry().publish(std::move(*claim));
  }
  /// What a loop does between two requests.
  void pass() {
    if (gate_.pass(registry().generation())) runtime_->retirer().poke();
  }
  std::string owner(std::string_view path) {
    const RouteMatch match = registry().table()->find("GET", path);
    return match.kind == RouteMatch::Kind::found ? match.version->config.name : "";
  }
  bool everything_retired() {
    pass();
    return runtime_->retirer().wait_until_done(30s);
  }

  std::unique_ptr<Runtime> runtime_;
  LoopGate gate_;
};

TEST_F(RegistryTest, APublishedVersionIsFound) {
  deploy(make_version(1, "a", {{"GET", "/x"}}));
  EXPECT_EQ(owner("/x"), "a");
  ASSERT_TRUE(registry().find("a"));
  EXPECT_EQ(registry().find("a")->live->number, 1U);
  EXPECT_EQ(registry().find("a")->live->state(), VersionState::live);
}

TEST_F(RegistryTest, AnotherModulesRouteIsRefusedAndNothingIsRegistered) {
  deploy(make_version(1, "a", {{"GET", "/x"}}));
  const auto refused = registry().claim(make_version(2, "b", {{"GET", "/y"}, {"GET", "/x"}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().owner, "a");
  EXPECT_EQ(refused.error().what, "GET /x");
  EXPECT_EQ(owner("/y"), "");
  EXPECT_FALSE(registry().find("b"));
}

TEST_F(RegistryTest, AClaimHoldsItsRoutesUntilItIsGone) {
  {
    const auto claim = registry().claim(make_version(1, "a", {{"GET", "/x"}}));
    ASSERT_TRUE(claim);
    EXPECT_FALSE(registry().claim(make_version(2, "b", {{"GET", "/x"}})));
    EXPECT_EQ(owner("/x"), "") << "claimed is not live";
  }
  EXPECT_TRUE(registry().claim(make_version(3, "b", {{"GET", "/x"}})));
}

TEST_F(RegistryTest, AnUpdateThatConflictsLeavesTheOldVersion) {
  deploy(make_version(1, "a", {{"GET", "/x"}}));
  deploy(make_version(2, "b", {{"GET", "/y"}}));
  EXPECT_FALSE(registry().claim(make_version(3, "b", {{"GET", "/x"}})));
  EXPECT_EQ(owner("/y"), "b");
}

TEST_F(RegistryTest, ARouteThatTheNewVersionLacksIsFree) {
  deploy(make_version(1, "a", {{"GET", "/x"}}));
  deploy(make_version(2, "a", {{"GET", "/z"}}));
  EXPECT_EQ(owner("/x"), "");
  deploy(make_version(3, "b", {{"GET", "/x"}}));
  EXPECT_EQ(owner("/x"), "b");
}

TEST_F(RegistryTest, TheOldVersionIsUnloadedOnceAfterTheLoopPassed) {
  bool destroyed = false;
  deploy(make_version(1, "a", {{"GET", "/x"}}, nullptr, count_unload, &destroyed));
  pass();
  deploy(make_version(2, "a", {{"GET", "/x"}}));
  EXPECT_EQ(registry().find("a")->draining, 1U);
  EXPECT_FALSE(runtime_->retirer().wait_until_done(20ms)) << "the loop may still be looking at the old table";
  EXPECT_EQ(unloads, 0);
  EXPECT_FALSE(destroyed);
  ASSERT_TRUE(everything_retired());
  EXPECT_EQ(unloads, 1);
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(registry().find("a")->draining, 0U);
}

TEST_F(RegistryTest, AVersionThatSomebodyIsInsideOfStays) {
  bool destroyed = false;
  auto old_version = make_version(1, "a", {{"GET", "/x"}}, nullptr, count_unload, &destroyed);
  ModuleVersion& inside = *old_version;
  deploy(old_version);
  old_version.reset();
  pass();
  std::latch entered(1), leave(1);
  SpareThreads::Task task = [&] {
    SpareThreads::set_inside(&inside);
    entered.count_down();
    leave.wait();
    call_done(runtime_->retirer(), inside);
  };
  ASSERT_TRUE(runtime_->spare_threads().run(task));
  entered.wait();
  deploy(make_version(2, "a", {{"GET", "/x"}}));
  pass();
  EXPECT_FALSE(runtime_->retirer().wait_until_done(20ms));
  EXPECT_EQ(unloads, 0);
  leave.count_down();
  ASSERT_TRUE(everything_retired());
  EXPECT_EQ(unloads, 1);
  EXPECT_TRUE(destroyed);
}

TEST_F(RegistryTest, ARemovedModuleIsGone) {
  bool destroyed = false;
  deploy(make_version(1, "a", {{"GET", "/x"}}, nullptr, count_unload, &destroyed));
  EXPECT_TRUE(registry().remove("a"));
  EXPECT_FALSE(registry().remove("a"));
  EXPECT_EQ(owner("/x"), "");
  EXPECT_FALSE(registry().find("a"));
  ASSERT_TRUE(everything_retired());
  EXPECT_EQ(unloads, 1);
  EXPECT_TRUE(destroyed);
}

TEST_F(RegistryTest, CallsAreCountedAcrossVersions) {
  constexpr CallCounters::Call call{.route = 0, .status_digit = 2, .bucket = 0, .ticks = 1, .stopped = false};
  bool destroyed = false;
  auto first = make_version(1, "a", {{"GET", "/x"}}, nullptr, nullptr, &destroyed);
  deploy(first);
  first->counters->count(0, call);
  const auto second = make_version(2, "a", {{"GET", "/x"}});
  deploy(second);
  second->counters->count(3, call);
  EXPECT_EQ(registry().find("a")->calls, 2U);
  first.reset();
  ASSERT_TRUE(everything_retired());
  ASSERT_TRUE(destroyed);
  EXPECT_EQ(registry().find("a")->calls, 2U) << "a version that is gone leaves its counts";
  EXPECT_EQ(registry().find("a")->counters->totals().routes.at({"GET", "/x"})[0], 2U);
}

TEST_F(RegistryTest, ListIsSortedByName) {
  deploy(make_version(1, "b", {{"GET", "/b"}}));
  deploy(make_version(2, "a", {{"GET", "/a"}}));
  const auto list = registry().list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].live->config.name, "a");
}

TEST_F(RegistryTest, SourcesAreFoundByTheirHash) {
  const auto version = make_version(1, "a", {{"GET", "/x"}});
  version->hash = "abc";
  deploy(version);
  EXPECT_EQ(registry().find_by_hash("abc"), version);
  EXPECT_EQ(registry().find_by_hash("abd"), nullptr);
}

}  // namespace
}  // namespace cweb::runtime
