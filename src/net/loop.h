// One epoll instance and everything that belongs to its turn: the events it brought, how far they were handled, tasks
// from other threads, time. All of it lives in the object, so that the loop can pass from thread to thread between any
// two events. Whoever drives the loop owns it; only post() and wake() may be called by others.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace cweb::net {

/// Something with a descriptor that a loop watches. Not owned by the loop.
class EventTarget {
 public:
  virtual ~EventTarget() = default;
  /// `events` as epoll_wait gives them. May unwatch itself or others.
  virtual void on_events(uint32_t events) = 0;
};

class Loop {
 public:
  using Task = std::move_only_function<void()>;

  static Expected<std::unique_ptr<Loop>> create();

  /// Events of `fd` go to `target` until unwatch(). `events` as for epoll_ctl; EPOLLET is the caller's choice.
  Expected<void> watch(int fd, uint32_t events, EventTarget& target);
  /// Changes the events of a watched descriptor.
  void rewatch(int fd, uint32_t events, EventTarget& target);
  /// After this no event reaches the target, not even one that was already fetched. Before the descriptor is closed.
  void unwatch(int fd, EventTarget& target);

  /// Are there events left of the last poll?
  bool has_event() const { return cursor_ < fetched_; }
  /// Hands the next event to its target.
  void handle_event();
  /// Waits at most `timeout_ms` (-1: for ever) for events and tasks. Call when has_event() is false.
  void poll(int timeout_ms);
  /// Runs the tasks that were posted until now.
  void run_tasks();

  /// Monotonic milliseconds as of the last poll.
  int64_t now_ms() const { return now_ms_; }

  /// Any thread: the driver runs `task` on its next turn.
  void post(Task task);
  /// Any thread: a poll that sleeps returns.
  void wake();

 private:
  Loop(UniqueFd epoll, UniqueFd wakeup);

  UniqueFd epoll_;
  UniqueFd wakeup_;
  std::array<epoll_event, 256> events_;
  size_t fetched_ = 0;
  size_t cursor_ = 0;
  int64_t now_ms_;

  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
  std::atomic<bool> has_posted_{false};
};

}  // namespace cweb::net
