// start_compile_helpers: a fixed number of helper processes, one request each at a time. Callers of any thread take an
// idle one or wait. A thread of the pool's own replaces helpers that ended, because the kernel kills a helper when the
// thread that started it ends, and callers' threads come and go.
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "jit/compiler.h"
#include "jit/helper_process.h"

namespace cweb::jit {
namespace {

using Outcome = std::expected<Compilation, CompileFailure>;

/// A second helper gets the source when the first was killed; when that one is killed as well, it is no accident.
constexpr int most_kills = 2;
/// Helpers found dead when a request came. They are replaced meanwhile; a machine that kills each new one is given up.
constexpr int most_tries = 16;

/// Behind a start that failed: starting in a loop would only make things worse.
constexpr int64_t pause_after_failure_ns = 1'000'000'000;
/// Time for others at a start that waits for nothing.
constexpr int64_t later_ns = 250'000'000;
constexpr int64_t ready_within_ns = int64_t{60} * 1'000'000'000;

CompileFailure unavailable(std::string sentence) {
  CompileFailure failure;
  failure.kind = CompileFailure::Kind::unavailable;
  failure.rendered = fmt::format("error: {}\n", sentence);
  Diagnostic diagnostic;
  diagnostic.message = std::move(sentence);
  failure.diagnostics.push_back(std::move(diagnostic));
  return failure;
}

class HelperPool final : public Compiler {
 public:
  explicit HelperPool(const CompilerOptions& options)
      : options_(options), slots_(static_cast<size_t>(std::max(options.helpers, 2))) {}
  ~HelperPool() override;

  Expected<void> start();

  Outcome compile(std::string_view source) override;
  std::vector<pid_t> helper_pids() const override;
  uint64_t helper_restarts() const override { return restarts_.load(std::memory_order_relaxed); }

 private:
  enum class State {
    missing,   ///< the keeper starts one
    starting,  ///< the keeper waits for its first word
    idle,
    busy,  ///< belongs to the caller that took it
  };
  struct Slot {
    State state = State::missing;
    std::unique_ptr<HelperProcess> helper;  ///< while busy, its caller's alone
    pid_t pid = -1;                         ///< of the helper, for who does not own it now
    int fd = -1;
    int64_t changed_ns = 0;      ///< when a start failed, or when it became starting
    uint64_t last_used = 0;      ///< larger is later
    bool is_suspicious = false;  ///< poll reported something while it was busy
  };

  Slot* take(std::unique_lock<std::mutex>& lock);
  void give_back(Slot& slot);
  bool nobody_comes() const;

  Expected<void> start_now();
  void spawn_into(Slot& slot);
  void replace(Slot& slot);
  void welcome(Slot& slot);
  void lost(Slot& slot, const std::string& reason);

  void keep();
  std::vector<pollfd> watched() const;
  int wait_ms() const;
  void look_at(Slot& slot, bool has_event);
  void wake_keeper() const;

  const CompilerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  ///< a helper became idle, or starting one failed
  std::vector<Slot> slots_;          ///< guarded by mutex_; the helper of a busy slot is its caller's
  uint64_t uses_ = 0;                ///< guarded by mutex_
  std::string trouble_;              ///< guarded by mutex_; why the last start failed, empty since one succeeded
  bool stopping_ = false;            ///< guarded by mutex_
  std::atomic<uint64_t> restarts_{0};
  UniqueFd wake_;  ///< eventfd
  std::thread keeper_;
};

HelperPool::~HelperPool() {
  if (!keeper_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_keeper();
  keeper_.join();
}

Expected<void> HelperPool::start() {
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return fail("cannot start compile helpers: no descriptor is left");
  if (options_.wait_until_warm) {
    if (auto warm = start_now(); !warm) return warm;
  } else {
    // The keeper starts them, as after a failure.
    for (Slot& slot : slots_) slot.changed_ns = monotonic_ns() + later_ns - pause_after_failure_ns;
  }
  keeper_ = std::thread([this] { keep(); });
  return {};
}

Expected<void> HelperPool::start_now() {
  const std::lock_guard lock(mutex_);
  for (Slot& slot : slots_) spawn_into(slot);
  // One that is warm is enough to begin with; the keeper welcomes the others.
  const auto is = [](State state) { return [state](const Slot& slot) { return slot.state == state; }; };
  while (std::none_of(slots_.begin(), slots_.end(), is(State::idle))) {
    if (std::none_of(slots_.begin(), slots_.end(), is(State::starting))) return fail(trouble_);
    std::vector<pollfd> entries = watched();
    ::poll(entries.data(), entries.size(), wait_ms());
    for (Slot& slot : slots_) look_at(slot, false);
  }
  return {};
}

std::vector<pid_t> HelperPool::helper_pids() const {
  const std::lock_guard lock(mutex_);
  std::vector<pid_t> pids;
  for (const Slot& slot : slots_) {
    if (slot.state == State::idle || slot.state == State::busy) pids.push_back(slot.pid);
  }
  return pids;
}

// ------------------------------------------------------------------------------------------------ callers' threads

Outcome HelperPool::compile(std::string_view source) {
  int kills = 0;
  for (int tries = 0; tries < most_tries && kills < most_kills; ++tries) {
    Slot* slot = nullptr;
    {
      std::unique_lock lock(mutex_);
      slot = take(lock);
      if (slot == nullptr) return std::unexpected(unavailable(trouble_));
    }
    auto answer = slot->helper->compile(source, options_.limits);
    give_back(*slot);
    if (answer) return std::move(answer->outcome);
    if (answer.error() == HelperProcess::Gone::before) continue;
    log::warn("a compile helper was killed in the middle of a compile; starting another");
    ++kills;
  }
  return std::unexpected(unavailable("the compiler process was killed, and so was the next one; try again"));
}

/// The idle helper that worked last: its caches know the last source. Null when none is left and none can be started.
HelperPool::Slot* HelperPool::take(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    Slot* best = nullptr;
    for (Slot& slot : slots_) {
      if (slot.state == State::idle && (best == nullptr || slot.last_used > best->last_used)) best = &slot;
    }
    if (best != nullptr) {
      best->state = State::busy;
      best->last_used = ++uses_;
      return best;
    }
    if (nobody_comes()) return nullptr;
    changed_.wait(lock);
  }
}

bool HelperPool::nobody_comes() const {
  return !trouble_.empty() &&
         std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == State::missing; });
}

void HelperPool::give_back(Slot& slot) {
  {
    const std::lock_guard lock(mutex_);
    if (slot.helper->is_usable()) {
      slot.state = State::idle;
      changed_.notify_one();
      if (!slot.is_suspicious) return;
    } else {
      slot = Slot{};
    }
  }
  wake_keeper();
}

void HelperPool::wake_keeper() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

// ---------------------------------------------------------------------------- the keeper's thread, with mutex_ held

void HelperPool::keep() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    for (Slot& slot : slots_) {
      if (slot.state != State::missing) continue;
      if (slot.changed_ns == 0 || monotonic_ns() >= slot.changed_ns + pause_after_failure_ns) replace(slot);
    }
    std::vector<pollfd> entries = watched();
    entries.push_back({wake_.get(), POLLIN, 0});
    const int timeout_ms = wait_ms();
    lock.unlock();
    ::poll(entries.data(), entries.size(), timeout_ms);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
    lock.lock();
    for (size_t i = 0; i < slots_.size(); ++i) look_at(slots_[i], entries[i].revents != 0);
  }
}

/// What to wait for, in the order of the slots: the first word of those that start, the end of the others. A descriptor
/// may be closed by its slot's caller meanwhile, so that what poll says is only a reason to look.
std::vector<pollfd> HelperPool::watched() const {
  std::vector<pollfd> entries;
  for (const Slot& slot : slots_) {
    const bool is_watched = slot.state != State::missing && !slot.is_suspicious;
    entries.push_back({is_watched ? slot.fd : -1, static_cast<short>(slot.state == State::starting ? POLLIN : 0), 0});
  }
  return entries;
}

int HelperPool::wait_ms() const {
  int64_t until_ns = INT64_MAX;
  for (const Slot& slot : slots_) {
    if (slot.state == State::starting) until_ns = std::min(until_ns, slot.changed_ns + ready_within_ns);
    if (slot.state == State::missing) until_ns = std::min(until_ns, slot.changed_ns + pause_after_failure_ns);
  }
  if (until_ns == INT64_MAX) return -1;
  return static_cast<int>(std::max<int64_t>(until_ns - monotonic_ns(), 0) / 1'000'000) + 1;
}

void HelperPool::look_at(Slot& slot, bool has_event) {
  switch (slot.state) {
    case State::missing:
      break;
    case State::starting:
      if (slot.helper->has_word()) {
        welcome(slot);
      } else if (monotonic_ns() >= slot.changed_ns + ready_within_ns) {
        lost(slot, "a compile helper was not ready within 60 s");
      }
      break;
    case State::idle:
      slot.is_suspicious = false;
      if (!slot.helper->has_hung_up()) break;
      log::warn("compile helper {} was killed while idle; starting another", slot.pid);
      slot = Slot{};
      break;
    case State::busy:
      // Its caller sees the end too, and wakes this thread.
      slot.is_suspicious |= has_event;
      break;
  }
}

void HelperPool::spawn_into(Slot& slot) {
  auto helper = HelperProcess::spawn(options_);
  if (!helper) return lost(slot, helper.error().message);
  slot.helper = std::move(*helper);
  slot.pid = slot.helper->pid();
  slot.fd = slot.helper->fd();
  slot.state = State::starting;
  slot.changed_ns = monotonic_ns();
}

void HelperPool::replace(Slot& slot) {
  spawn_into(slot);
  if (slot.state == State::starting) restarts_.fetch_add(1, std::memory_order_relaxed);
}

void HelperPool::welcome(Slot& slot) {
  if (const auto ready = slot.helper->wait_until_ready(); !ready) return lost(slot, ready.error().message);
  slot.state = State::idle;
  trouble_.clear();
  changed_.notify_one();
}

void HelperPool::lost(Slot& slot, const std::string& reason) {
  slot = Slot{};
  slot.changed_ns = monotonic_ns();
  if (trouble_ != reason) log::warn("{}", reason);
  trouble_ = reason;
  changed_.notify_all();
}

}  // namespace

Expected<std::unique_ptr<Compiler>> start_compile_helpers(const CompilerOptions& options) {
  auto pool = std::make_unique<HelperPool>(options);
  if (auto started = pool->start(); !started) return std::unexpected(started.error());
  return pool;
}

}  // namespace cweb::jit
