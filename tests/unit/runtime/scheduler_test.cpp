// The scheduler: what is added runs, in order, with its version in memory; timers end with their version.
#include "runtime/scheduler.h"

#include <condition_variable>
#include <latch>
#include <mutex>
#include <vector>

#include "primitives_fixture.h"
#include "runtime/fault_sink.h"
#include "runtime/module_stop.h"

namespace cweb::runtime {
namespace {

using namespace std::chrono_literals;

/// What work of the tests does: it is a function like a module's, and knows nothing but its argument.
struct Events {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> seen;
  int running = 0, most_running = 0;

  void add(int event) {
    const std::lock_guard lock(mutex);
    seen.push_back(event);
    changed.notify_all();
  }
  bool wait_for(size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, [&] { return seen.size() >= count; });
  }
  /// Waits until so many are at the gate.
  bool wait_for_running(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, [&] { return running >= count; });
  }
  size_t count() {
    const std::lock_guard lock(mutex);
    return seen.size();
  }
};
Events* events = nullptr;
std::latch* gate = nullptr;

struct Numbered {
  int number;
};
void note(void* given) {
  events->add(static_cast<Numbered*>(given)->number);
}
void wait_at_gate(void* given) {
  {
    const std::lock_guard lock(events->mutex);
    events->most_running = std::max(events->most_running, ++events->running);
    events->changed.notify_all();
  }
  gate->wait();
  {
    const std::lock_guard lock(events->mutex);
    --events->running;
  }
  note(given);
}
void fail_at_once(void*) {
  stop_module_call("the work had enough");
}
void note_unload() {
  events->add(-1);
}

class Reports final : public FaultSink {
 public:
  FaultAnswer took_place(const std::shared_ptr<ModuleVersion>&, const FaultRecord& fault,
                         const FaultContext& context) override {
    const std::lock_guard lock(mutex);
    texts.push_back(context.call + ": " + fault.reason);
    changed.notify_all();
    return {};
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> texts;
};

class SchedulerTest : public PrimitivesTest {
 protected:
  SchedulerTest() {
    events = &events_;
    gate = &opened_;
  }
  ~SchedulerTest() override { EXPECT_TRUE(runtime_->unload_all(30s)); }
  Scheduler& scheduler() { return primitives_->scheduler; }
  Numbered* number(int number) {
    numbers_.push_back(std::make_unique<Numbered>(number));
    return numbers_.back().get();
  }
  bool add(const std::shared_ptr<ModuleVersion>& version, void (*function)(void*), int value) {
    return scheduler().add(version, {.function = function, .data = number(value)});
  }

  Events events_;
  std::latch opened_{1};

 private:
  std::vector<std::unique_ptr<Numbered>> numbers_;
};

TEST_F(SchedulerTest, work_begins_in_the_order_in_which_it_was_added) {
  const auto version = deploy("a");
  for (int i = 0; i < Scheduler::most_running; ++i) EXPECT_TRUE(add(version, wait_at_gate, 100 + i));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(add(version, i % 10 == 0 ? wait_at_gate : note, i));
  EXPECT_TRUE(events_.wait_for_running(Scheduler::most_running));
  EXPECT_EQ(events_.count(), 0U) << "all that may run are waiting";
  opened_.count_down();
  ASSERT_TRUE(events_.wait_for(50 + Scheduler::most_running));
  EXPECT_EQ(events_.most_running, Scheduler::most_running);
}

TEST_F(SchedulerTest, one_module_does_not_keep_another_waiting) {
  const auto stuck = deploy("stuck"), other = deploy("other");
  for (int i = 0; i < 3 * Scheduler::most_running; ++i) EXPECT_TRUE(add(stuck, wait_at_gate, i));
  EXPECT_TRUE(add(other, note, 1000));
  ASSERT_TRUE(events_.wait_for(1));
  EXPECT_EQ(events_.seen.front(), 1000);
  opened_.count_down();
  ASSERT_TRUE(events_.wait_for(1 + 3 * Scheduler::most_running));
}

TEST_F(SchedulerTest, a_full_queue_refuses_and_loses_nothing) {
  const auto version = deploy("a");
  size_t added = 0;
  Numbered* const data = number(1);
  while (scheduler().add(version, {.function = wait_at_gate, .data = data}))
    ASSERT_LE(++added, 2 * Scheduler::most_waiting);
  EXPECT_GE(added, Scheduler::most_waiting);
  opened_.count_down();
  ASSERT_TRUE(events_.wait_for(added));
}

TEST_F(SchedulerTest, unload_waits_for_what_was_added) {
  std::weak_ptr<ModuleVersion> old;
  {
    auto version = deploy("a", note_unload);
    old = version;
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(add(version, wait_at_gate, i));
  }
  const auto next = deploy("a");
  EXPECT_FALSE(old.expired());
  opened_.count_down();
  ASSERT_TRUE(events_.wait_for(41));
  EXPECT_EQ(events_.seen.back(), -1) << "after all of it";
  EXPECT_TRUE(runtime_->retirer().wait_until_done(30s));
  while (!old.expired()) std::this_thread::yield();
}

TEST_F(SchedulerTest, a_version_that_was_unloaded_adds_nothing) {
  const auto version = deploy("a");
  runtime_->registry().remove("a");
  EXPECT_TRUE(runtime_->retirer().wait_until_done(30s));
  EXPECT_FALSE(add(version, note, 1));
  EXPECT_EQ(scheduler().start_timer(version, {.function = note, .data = number(1)}, 0ms, 0ms), -1);
}

TEST_F(SchedulerTest, a_fault_is_reported_and_the_next_piece_runs) {
  Reports reports;
  set_fault_sink(&reports);
  const auto version = deploy("a");
  EXPECT_TRUE(add(version, fail_at_once, 0));
  EXPECT_TRUE(add(version, note, 1));
  EXPECT_TRUE(events_.wait_for(1));
  std::unique_lock lock(reports.mutex);
  EXPECT_TRUE(reports.changed.wait_for(lock, 30s, [&] { return reports.texts.size() == 1; }));
  EXPECT_EQ(reports.texts.front(), "work of the scheduler: the work had enough");
  set_fault_sink(nullptr);
}

TEST_F(SchedulerTest, work_of_a_quarantined_module_does_not_run) {
  const auto version = deploy("a");
  for (int i = 0; i < Scheduler::most_running + 5; ++i) EXPECT_TRUE(add(version, wait_at_gate, i));
  EXPECT_TRUE(events_.wait_for_running(Scheduler::most_running));
  runtime_->registry().quarantine(*version);
  opened_.count_down();
  ASSERT_TRUE(events_.wait_for(Scheduler::most_running));
  while (version->waiting_work.load() > 0) std::this_thread::yield();
  EXPECT_LE(events_.count(), static_cast<size_t>(Scheduler::most_running));
}

TEST_F(SchedulerTest, a_timer_runs_once_and_one_with_a_period_until_it_is_cancelled) {
  const auto version = deploy("a");
  const int64_t once = scheduler().start_timer(version, {.function = note, .data = number(1)}, 1ms, 0ms);
  EXPECT_GT(once, 0);
  ASSERT_TRUE(events_.wait_for(1));
  while (scheduler().timers() > 0) std::this_thread::yield();
  EXPECT_FALSE(scheduler().cancel(*version, once)) << "it is over";
  const int64_t often = scheduler().start_timer(version, {.function = note, .data = number(2)}, 1ms, 1ms);
  ASSERT_TRUE(events_.wait_for(6));
  EXPECT_FALSE(scheduler().cancel(*deploy("b"), often)) << "it is another's";
  EXPECT_TRUE(scheduler().cancel(*version, often));
  EXPECT_FALSE(scheduler().cancel(*version, often));
  while (version->waiting_work.load() > 0) std::this_thread::yield();
  const size_t seen = events_.count();
  // One that is started after it runs after it.
  scheduler().start_timer(version, {.function = note, .data = number(3)}, 5ms, 0ms);
  ASSERT_TRUE(events_.wait_for(seen + 1));
  EXPECT_EQ(events_.seen.back(), 3);
  EXPECT_EQ(events_.count(), seen + 1);
}

TEST_F(SchedulerTest, timers_fire_in_the_order_in_which_they_are_due) {
  const auto version = deploy("a");
  for (const int ms : {40, 1, 80, 20}) {
    scheduler().start_timer(version, {.function = note, .data = number(ms)}, std::chrono::milliseconds(ms), 0ms);
  }
  const int64_t cancelled = scheduler().start_timer(version, {.function = note, .data = number(0)}, 60ms, 0ms);
  EXPECT_TRUE(scheduler().cancel(*version, cancelled));
  ASSERT_TRUE(events_.wait_for(4));
  EXPECT_EQ(events_.seen, (std::vector{1, 20, 40, 80}));
}

TEST_F(SchedulerTest, a_timer_whose_work_is_slow_does_not_meet_itself) {
  const auto version = deploy("a");
  const int64_t timer = scheduler().start_timer(version, {.function = wait_at_gate, .data = number(1)}, 1ms, 1ms);
  // Another timer's many runs meanwhile.
  const int64_t other = scheduler().start_timer(version, {.function = note, .data = number(2)}, 1ms, 1ms);
  ASSERT_TRUE(events_.wait_for(10));
  EXPECT_EQ(events_.most_running, 1);
  EXPECT_TRUE(scheduler().cancel(*version, timer));
  EXPECT_TRUE(scheduler().cancel(*version, other));
  opened_.count_down();
}

TEST_F(SchedulerTest, timers_wait_until_their_version_is_live_and_end_with_it) {
  auto version = make_version(1000, "a", {{"GET", "/a"}});
  version->threads = runtime_->registry().threads_of("a");
  version->set_state(VersionState::loading);
  scheduler().start_timer(version, {.function = note, .data = number(1)}, 0ms, 1ms);
  scheduler().start_timer(deploy("b"), {.function = note, .data = number(2)}, 20ms, 0ms);
  ASSERT_TRUE(events_.wait_for(1));
  EXPECT_EQ(events_.seen.front(), 2) << "it is not live yet";
  auto claim = runtime_->registry().claim(version);
  runtime_->registry().publish(std::move(*claim));
  ASSERT_TRUE(events_.wait_for(4));
  version.reset();
  runtime_->registry().remove("a");
  EXPECT_TRUE(runtime_->retirer().wait_until_done(30s));
  while (scheduler().timers() > 0) std::this_thread::yield();
}

TEST_F(SchedulerTest, a_version_may_have_many_timers_and_no_more) {
  const auto version = deploy("a"), other = deploy("b");
  for (size_t i = 0; i < Scheduler::most_timers; ++i) {
    ASSERT_GT(scheduler().start_timer(version, {.function = note, .data = nullptr}, 24h, 24h), 0);
  }
  EXPECT_EQ(scheduler().start_timer(version, {.function = note, .data = nullptr}, 24h, 24h), -1);
  EXPECT_GT(scheduler().start_timer(other, {.function = note, .data = nullptr}, 24h, 24h), 0);
  scheduler().forget(*version);
  EXPECT_EQ(scheduler().timers(), 1U);
  EXPECT_GT(scheduler().start_timer(version, {.function = note, .data = nullptr}, 24h, 24h), 0);
}

}  // namespace
}  // namespace cweb::runtime
