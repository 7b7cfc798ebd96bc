#include "net/loop.h"

#include <errno.h>
#include <sys/eventfd.h>

#include <cstring>

#include "base/clock.h"

namespace cweb::net {

Expected<std::unique_ptr<Loop>> Loop::create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wakeup(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !wakeup) return fail(std::string("an event loop could not be made: ") + std::strerror(errno));
  // Edge-triggered: the counter is never read, each write to it is an edge of its own.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wakeup.get(), &event) != 0) {
    return fail(std::string("an event loop could not be made: ") + std::strerror(errno));
  }
  return std::unique_ptr<Loop>(new Loop(std::move(epoll), std::move(wakeup)));
}

Loop::Loop(UniqueFd epoll, UniqueFd wakeup)
    : epoll_(std::move(epoll)), wakeup_(std::move(wakeup)), now_ms_(monotonic_ms()) {}

Expected<void> Loop::watch(int fd, uint32_t events, EventTarget& target) {
  epoll_event event{.events = events, .data = {.ptr = &target}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(std::string("a descriptor could not be watched: ") + std::strerror(errno));
  }
  return {};
}

void Loop::rewatch(int fd, uint32_t events, EventTarget& target) {
  epoll_event event{.events = events, .data = {.ptr = &target}};
  const int result = epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
  CWEB_ASSERT(result == 0);
}

void Loop::unwatch(int fd, EventTarget& target) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (size_t i = cursor_; i < fetched_; ++i) {
    if (events_[i].data.ptr == &target) events_[i].data.ptr = nullptr;
  }
}

void Loop::handle_event() {
  const epoll_event event = events_[cursor_++];
  if (event.data.ptr) static_cast<EventTarget*>(event.data.ptr)->on_events(event.events);
}

void Loop::poll(int timeout_ms) {
  CWEB_ASSERT(!has_event());
  if (has_posted_.load()) timeout_ms = 0;
  const int count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  CWEB_ASSERT(count >= 0 || errno == EINTR);
  cursor_ = 0;
  fetched_ = count > 0 ? static_cast<size_t>(count) : 0;
  now_ms_ = monotonic_ms();
}

void Loop::run_tasks() {
  if (!has_posted_.load(std::memory_order_acquire)) return;
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    has_posted_.store(false);
  }
  for (Task& task : tasks) task();
}

void Loop::post(Task task) {
  // Woken before the lock is let go: the task may be the one that ends the loop.
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  has_posted_.store(true);
  wake();
}

void Loop::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_.get(), &one, sizeof one);
}

}  // namespace cweb::net
