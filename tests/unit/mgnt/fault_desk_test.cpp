// What becomes of a module after a fault, where that does not depend on the module alone.
#include "mgnt/fault_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <optional>
#include <utility>
#include <vector>

#include "fake_toolchain.h"
#include "runtime/runtime.h"

namespace cweb::mgnt {
namespace {

using std::chrono_literals::operator""ms;
using testing::HasSubstr;

/// A thread of a module's that will not come back.
struct StuckThread {
  explicit StuckThread(const std::shared_ptr<runtime::ThreadShare>& share)
      : use(*share->try_take(runtime::ThreadShare::limit)), call(share) {}
  runtime::ThreadShare::Use use;
  runtime::ThreadShare::StuckCall call;
};

/// Keeps all threads busy, for as long as it lives at most.
class BusyThreads {
 public:
  BusyThreads(runtime::SpareThreads& threads, size_t count) : threads_(threads) {
    // The one that ran the deploy's onload may not be a spare again yet.
    EXPECT_TRUE(threads_.wait_until_idle(10'000ms));
    for (size_t i = 0; i < count; ++i) {
      runtime::SpareThreads::Task task = [this] { may_end_.wait(); };
      EXPECT_TRUE(threads_.run(task));
    }
  }
  ~BusyThreads() {
    may_end_.count_down();
    EXPECT_TRUE(threads_.wait_until_idle(10'000ms));
  }

 private:
  runtime::SpareThreads& threads_;
  std::latch may_end_{1};
};

class FaultDeskTest : public testing::Test {
 protected:
  static constexpr size_t most_threads = 3;

  void SetUp() override {
    // A restart needs a thread.
    toolchain_.know("source", {.name = "counter", .routes = {{"/counter", "GET"}}, .onload = [] {}});
    ASSERT_EQ(deployer_.deploy({.code = "source", .repaired = false}).status, DeployReport::Status::deployed);
  }
  void TearDown() override { EXPECT_TRUE(runtime_->unload_all(10'000ms)); }

  std::shared_ptr<runtime::ModuleVersion> live() { return runtime_->registry().find("counter")->live; }
  /// What is done about a fault of the live version.
  std::string consequence_of_a_fault() {
    runtime::FaultRecord fault;
    fault.kind = runtime::FaultRecord::Kind::stopped;
    desk_.took_place(live(), fault, {.call = "GET /counter", .request = {}, .accept = {}});
    return desk_.reports("counter").front().consequence;
  }

  FakeToolchain toolchain_;
  std::unique_ptr<runtime::Runtime> runtime_ = std::move(*runtime::Runtime::create(most_threads));
  Deployer deployer_{toolchain_, toolchain_, *runtime_, {.load_deadline = 10'000ms}};
  FaultDesk desk_{deployer_, runtime_->registry(), {.production = false, .most_faults = 0}};
};

TEST_F(FaultDeskTest, a_module_for_whose_restart_there_is_no_thread_is_not_quarantined_for_it) {
  std::optional<BusyThreads> busy(std::in_place, runtime_->spare_threads(), most_threads);
  const auto before = live();
  EXPECT_THAT(consequence_of_a_fault(), HasSubstr("this one goes on answering"));
  EXPECT_EQ(live(), before);
  EXPECT_FALSE(before->quarantined);
  busy.reset();
  EXPECT_THAT(consequence_of_a_fault(), HasSubstr("a fresh instance answers"));
  EXPECT_NE(live(), before);
}

TEST_F(FaultDeskTest, a_module_whose_stuck_calls_have_all_its_threads_is_quarantined_instead_of_restarted) {
  const auto threads = live()->threads;
  std::vector<StuckThread> stuck;
  for (int i = 0; i < runtime::ThreadShare::limit - 1; ++i) stuck.emplace_back(threads);
  EXPECT_THAT(consequence_of_a_fault(), HasSubstr("a fresh instance answers")) << "one is left";
  EXPECT_EQ(live()->threads, threads) << "a fresh instance has no share of its own";
  stuck.emplace_back(threads);
  const auto before = live();
  EXPECT_THAT(consequence_of_a_fault(), HasSubstr("64 of its calls are stuck"));
  EXPECT_EQ(live(), before);
  EXPECT_TRUE(before->quarantined);
}

}  // namespace
}  // namespace cweb::mgnt
