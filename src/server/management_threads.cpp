#include "server/management_threads.h"

#include <pthread.h>

#include <algorithm>

#include "base/ascii.h"

namespace cweb::server {

const std::string* ManagementRequest::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return same_ignoring_case(header.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

ManagementThreads::ManagementThreads(ManagementHandler& handler) : handler_(handler) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ManagementThreads::~ManagementThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ManagementThreads::submit(ManagementRequest& request, Done& done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_limit) return false;
    queue_.push_back({std::move(request), std::move(done)});
  }
  wake_.notify_one();
  return true;
}

void ManagementThreads::work() {
  pthread_setname_np(pthread_self(), "cweb-mgnt");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      Job job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      job.done(handler_.handle(job.request));
    }
    lock.lock();
  }
}

}  // namespace cweb::server
