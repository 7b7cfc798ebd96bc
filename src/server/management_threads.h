// Where management calls run: a deploy compiles for milliseconds and may wait for an onload for seconds, so it never
// runs on a loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "server/management.h"

namespace cweb::server {

/// Thread-safe.
class ManagementThreads {
 public:
  using Done = std::move_only_function<void(ManagementAnswer)>;

  /// Calls beyond these wait, and beyond that are refused.
  static constexpr size_t threads = 16;
  static constexpr size_t queue_limit = 256;

  explicit ManagementThreads(ManagementHandler& handler);
  /// Answers what is queued.
  ~ManagementThreads();

  /// `done` is called on one of the threads. False, with nothing taken, when the queue is full.
  bool submit(ManagementRequest& request, Done& done);

 private:
  struct Job {
    ManagementRequest request;
    Done done;
  };
  void work();

  ManagementHandler& handler_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace cweb::server
