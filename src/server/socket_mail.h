// Where the open sockets of one loop leave word that they have something to send. They are sent to from any thread; the
// loop alone writes.
#pragma once

#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace cweb::server {

class WebSocket;

class SocketMail {
 public:
  /// `wake` makes a loop that sleeps come round; any thread may call it.
  explicit SocketMail(std::function<void()> wake) : wake_(std::move(wake)) {}
  SocketMail(const SocketMail&) = delete;
  SocketMail& operator=(const SocketMail&) = delete;

  /// Any thread.
  void post(std::shared_ptr<WebSocket> socket) {
    {
      const std::lock_guard lock(mutex_);
      sockets_.push_back(std::move(socket));
    }
    // A driver that posts to itself looks here before it sleeps. One that has just lost its loop is not the driver any
    // more: either it sees its successor, or its successor, which says so before it looks, sees the mail.
    if (!waiting_.exchange(true) && !pthread_equal(driver_.load(), pthread_self())) wake_();
  }

  /// The calling thread drives the loop from here on.
  void driven_by_this_thread() { driver_.store(pthread_self()); }
  /// Driver: what was posted since the last time.
  std::vector<std::shared_ptr<WebSocket>> take() {
    if (!waiting_.load()) return {};
    const std::lock_guard lock(mutex_);
    waiting_.store(false);
    return std::exchange(sockets_, {});
  }

 private:
  const std::function<void()> wake_;
  std::atomic<pthread_t> driver_{};
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<WebSocket>> sockets_;  // guarded by mutex_
};

}  // namespace cweb::server
