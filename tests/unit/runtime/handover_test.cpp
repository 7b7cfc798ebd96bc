// A loop of the test's own, driven by the runtime's threads: one queue of calls. What is checked is who owns it.
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <latch>
#include <mutex>

#include "runtime/invoke.h"
#include "runtime/module_stop.h"
#include "runtime/runtime.h"
#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

using namespace std::chrono_literals;

/// What the handlers below wait for.
struct Signals {
  std::latch* entered = nullptr;
  std::latch* leave = nullptr;
};
Signals signals;

int fast(http_request*, http_response*) {
  return 1;
}
int blocks(http_request*, http_response*) {
  if (signals.entered) signals.entered->count_down();
  signals.leave->wait();
  return 2;
}
int ends_itself(http_request*, http_response*) {
  stop_module_call("the module had enough");
}

/// Of the context-first generation.
int tells_its_context(cweb_context* context, http_request* request, http_response* response) {
  response->content_length = request->content_length;
  return context->jobs == nullptr ? 3 : 0;
}

class HandoverTest : public testing::Test {
 protected:
  struct Call {
    size_t route;
    std::promise<CallResult> result;
    std::promise<bool> same_thread_as_next{};
  };

  HandoverTest() : runtime_(*Runtime::create()), gate_(0, [this] { drive(); }, [this] { wake(); }) {
    version_ = make_version(1, "a", {{"GET", "/fast"}, {"GET", "/blocks"}, {"GET", "/ends"}, {"GET", "/context"}});
    version_->config.routes[0].handler = reinterpret_cast<void*>(fast);
    version_->config.routes[1].handler = reinterpret_cast<void*>(blocks);
    version_->config.routes[2].handler = reinterpret_cast<void*>(ends_itself);
    version_->config.routes[3].handler = reinterpret_cast<void*>(tells_its_context);
    version_->config.routes[3].shape = CallShape::context_first;
    auto claim = runtime_->registry().claim(version_);
    runtime_->registry().publish(std::move(*claim));
    runtime_->add_loop(gate_);
    runtime_->drive(gate_);
  }
  ~HandoverTest() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake();
    EXPECT_TRUE(runtime_->spare_threads().wait_until_idle(30s));
    runtime_->remove_loop(gate_);
    version_.reset();
    EXPECT_TRUE(runtime_->unload_all(30s));
  }

  std::future<CallResult> call(size_t route) {
    std::future<CallResult> result;
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back({route, {}});
      result = calls_.back().result.get_future();
    }
    wake();
    return result;
  }

  /// The loop: takes calls in order until it is lost. Only one thread may be in here past the first lines.
  void drive() {
    for (;;) {
      EXPECT_EQ(drivers_.fetch_add(1), 0) << "two threads drive one loop";
      Call next;
      {
        std::unique_lock lock(mutex_);
        if (gate_.pass(runtime_->registry().generation())) runtime_->retirer().poke();
        changed_.wait(lock, [&] { return !calls_.empty() || ending_; });
        gate_.polled();
        if (calls_.empty()) {
          drivers_.fetch_sub(1);
          return;
        }
        next = std::move(calls_.front());
        calls_.pop_front();
      }
      drivers_.fetch_sub(1);
      http_request request{};
      http_response response{};
      const CallResult result = call_handler(runtime_->monitor(), gate_, *version_, next.route, request, response);
      if (result.kept_loop) {
        call_done(runtime_->retirer(), *version_);
      } else {
        detached_call_done(runtime_->retirer(), *version_);
      }
      const bool kept = result.kept_loop;
      next.result.set_value(result);
      if (!kept) return;
    }
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

  std::unique_ptr<Runtime> runtime_;
  LoopGate gate_;
  std::shared_ptr<ModuleVersion> version_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call> calls_;  // guarded by mutex_
  bool ending_ = false;     // guarded by mutex_
  std::atomic<int> drivers_{0};
};

TEST_F(HandoverTest, AFastCallKeepsItsLoop) {
  const CallResult result = call(0).get();
  EXPECT_EQ(result.value, 1);
  EXPECT_EQ(result.ending, CallResult::Ending::returned);
  EXPECT_EQ(version_->threads->in_use(), 0);
}

TEST_F(HandoverTest, AHandlerOfTheContextFirstGenerationGetsItsContextFirst) {
  EXPECT_EQ(call(3).get().value, 3);
  EXPECT_EQ(call(0).get().value, 1);
}

TEST_F(HandoverTest, WhileOneCallBlocksTheLoopGoesOnWithOthers) {
  std::latch leave(1);
  signals = {nullptr, &leave};
  auto blocked = call(1);
  EXPECT_EQ(call(0).get().value, 1) << "answered while the call before it blocks";
  EXPECT_EQ(version_->threads->in_use(), 1);
  leave.count_down();
  const CallResult result = blocked.get();
  EXPECT_EQ(result.value, 2);
  EXPECT_FALSE(result.kept_loop);
}

TEST_F(HandoverTest, BlockingCallsRunSideBySide) {
  constexpr int count = 20;
  std::latch entered(count), leave(1);
  signals = {&entered, &leave};
  std::vector<std::future<CallResult>> blocked;
  for (int i = 0; i < count; ++i) blocked.push_back(call(1));
  entered.wait();  // all of them at a time
  EXPECT_EQ(call(0).get().value, 1);
  leave.count_down();
  for (auto& result : blocked) EXPECT_EQ(result.get().value, 2);
}

TEST_F(HandoverTest, ACallThatTheModuleEndsIsStopped) {
  auto result = call(2).get();
  EXPECT_EQ(result.ending, CallResult::Ending::stopped);
  EXPECT_EQ(call(0).get().value, 1);
}

TEST_F(HandoverTest, ManyFastAndBlockingCallsNeverMakeTwoDrivers) {
  for (int round = 0; round < 50; ++round) {
    std::latch entered(1), leave(1);
    signals = {&entered, &leave};
    auto blocked = call(1);
    std::vector<std::future<CallResult>> others;
    for (int i = 0; i < 10; ++i) others.push_back(call(0));
    entered.wait();
    leave.count_down();  // at about the moment when the monitor takes the loop, or before, or after
    EXPECT_EQ(blocked.get().value, 2);
    for (auto& other : others) EXPECT_EQ(other.get().value, 1);
  }
}

TEST_F(HandoverTest, WaitedCallsTellHowTheyEnded) {
  static std::latch leave(1);  // the last call outlives the test's frame
  auto& threads = runtime_->spare_threads();
  using Ending = WaitedCall::Ending;
  const auto call = [&](void (*function)(), std::chrono::milliseconds deadline) {
    return call_and_wait(threads, runtime_->deadlines(), version_, function, deadline);
  };
  EXPECT_EQ(call([] {}, 30s).ending, Ending::returned);
  const WaitedCall stopped = call([] { stop_module_call("enough"); }, 30s);
  EXPECT_EQ(stopped.ending, Ending::stopped);
  EXPECT_STREQ(stopped.fault.reason, "enough");
  EXPECT_EQ(call([] { leave.wait(); }, 1ms).ending, Ending::overdue);
  leave.count_down();
}

}  // namespace
}  // namespace cweb::runtime
