// What one reader of events has not read yet. Bounded: whoever reads too slowly is told how many it has missed, and
// keeps nobody waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mgnt/event.h"

namespace cweb::mgnt {

/// Which events a reader wants.
struct EventFilter {
  std::vector<std::string> modules;  ///< of any of these, in order of their bytes; empty: of all
  bool output_only = false;

  bool wants(const Event& event) const;
  bool wants_module(const std::string& module) const;
};

/// Between the event log, which fills it, and the reader. Thread-safe.
class EventQueue {
 public:
  /// Of what has come since the reader began; what was kept before is not counted.
  static constexpr size_t most_bytes = size_t{256} << 10;

  struct Item {
    EventPtr event;     ///< null: so many were lost here
    uint64_t lost = 0;  ///< of a null event
  };

  explicit EventQueue(EventFilter filter) : filter_(std::move(filter)) {}
  const EventFilter& filter() const { return filter_; }

  /// Before anybody else knows it: what there is already.
  void begin_with(std::vector<EventPtr> kept, uint64_t lost);
  /// True: the reader waits, wake() is due.
  bool push(const EventPtr& event);
  /// Calls what was given to wake_by(), unless the queue is closed by then.
  void wake();

  void wake_by(std::function<void()> wake);
  /// The next ones, of about `bytes` at most; none: wake is called when there are some.
  std::vector<Item> take(size_t bytes);
  /// From here on wake is not called, not even by a call that has begun.
  void close();

 private:
  Item next_locked();

  const EventFilter filter_;
  std::mutex mutex_;
  std::deque<EventPtr> kept_;   // guarded by mutex_; before the backlog
  std::deque<Item> backlog_;    // guarded by mutex_
  size_t backlog_bytes_ = 0;    // guarded by mutex_
  uint64_t lost_before_ = 0;    // guarded by mutex_; of what was kept
  uint64_t lost_ = 0;           // guarded by mutex_; behind the backlog
  bool waiting_ = false;        // guarded by mutex_
  bool closed_ = false;         // guarded by mutex_
  std::function<void()> wake_;  // guarded by mutex_
};

}  // namespace cweb::mgnt
