// Who owns a loop. The thread that drives it owns it, except that the monitor may take it while that thread is inside
// module code. Whoever wins the one exchange at the end of a call owns the loop from there on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace cweb::runtime {

class CallingThread;
class HandoverMonitor;
class ModuleVersion;
class Retirer;
struct RouteState;

/// One per loop; on a cache line of its own. "Driver" is the thread that owns the loop now.
class alignas(64) LoopGate {
 public:
  /// `index` counts the loops from 0. `drive` runs the loop on the calling thread until the loop ends or is lost.
  /// `wake` makes a sleeping loop come round; any thread may call it.
  /// `give_up` is told of a call that was taken off this loop, is overdue and cannot be ended; any thread may call it.
  using GiveUp =
      std::function<void(const std::shared_ptr<CallingThread>&, uint64_t call, const std::shared_ptr<ModuleVersion>&)>;
  LoopGate(size_t index, std::function<void()> drive, std::function<void()> wake, GiveUp give_up = {})
      : index_(index), drive_(std::move(drive)), wake_(std::move(wake)), give_up_(std::move(give_up)) {}
  LoopGate(const LoopGate&) = delete;
  LoopGate& operator=(const LoopGate&) = delete;

  size_t index() const { return index_; }
  void wake() const { wake_(); }
  /// Runs the loop on the calling thread until it ends or is lost.
  void drive();
  const GiveUp& give_up() const { return give_up_; }

  /// Driver: the loop has just polled.
  void polled() { polls_.store(polls_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  /// Driver, holding no route table: everything published up to `generation` is what the loop sees from here on.
  /// True when that is news.
  bool pass(uint64_t generation) {
    if (passed_.load(std::memory_order_relaxed) == generation) return false;
    passed_.store(generation);
    return true;
  }
  uint64_t passed() const { return passed_.load(); }

 private:
  friend class HandoverMonitor;

  // The state carries the number of the call it speaks of, so that a thread that comes back late cannot take the state
  // of its successor's call for its own.
  enum State : uint64_t {
    owned,   ///< the driver is in cweb's code
    inside,  ///< the driver is inside module code; the monitor may take the loop
    taking,  ///< the monitor is taking it: a moment
    taken,   ///< another thread drives the loop; the one inside has only its call left
  };
  static constexpr uint64_t word(uint64_t call, State state) { return call << 2 | state; }

  const size_t index_;
  const std::function<void()> drive_;
  const std::function<void()> wake_;
  const GiveUp give_up_;
  std::atomic<uint64_t> state_{owned};
  std::atomic<uint64_t> polls_{0};
  std::atomic<uint64_t> passed_{0};
  uint64_t calls_ = 0;  // the driver's count of its calls into modules
  // What the driver is calling. Written before the state becomes `inside`, read by who takes the loop.
  ModuleVersion* version_ = nullptr;
  RouteState* route_ = nullptr;
  CallingThread* thread_ = nullptr;  // the driver
  uint64_t thread_call_ = 0;         // the call's number there
  // The monitor's own notes.
  uint64_t noted_polls_ = 0;
  int64_t noted_ns_ = 0;
};

}  // namespace cweb::runtime
