#include "mgnt/event_subscription.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cweb::mgnt {

bool EventFilter::wants(const Event& event) const {
  if (output_only && event.type != Event::Type::output) return false;
  return wants_module(event.module);
}

bool EventFilter::wants_module(const std::string& module) const {
  return modules.empty() || std::binary_search(modules.begin(), modules.end(), module);
}

void EventQueue::begin_with(std::vector<EventPtr> kept, uint64_t lost) {
  const std::lock_guard lock(mutex_);
  kept_.assign(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  lost_before_ = lost;
}

bool EventQueue::push(const EventPtr& event) {
  const std::lock_guard lock(mutex_);
  const size_t bytes = event->bytes();
  // One that is larger than the bound has its place in an empty queue.
  if (closed_ || (!backlog_.empty() && backlog_bytes_ + bytes > most_bytes)) {
    ++lost_;
    return false;
  }
  if (lost_ > 0) backlog_.push_back({.event = nullptr, .lost = std::exchange(lost_, 0)});
  backlog_.push_back({.event = event});
  backlog_bytes_ += bytes;
  return std::exchange(waiting_, false);
}

void EventQueue::wake() {
  const std::lock_guard lock(mutex_);
  if (!closed_ && wake_) wake_();
}

void EventQueue::wake_by(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

EventQueue::Item EventQueue::next_locked() {
  if (lost_before_ > 0) return {.event = nullptr, .lost = std::exchange(lost_before_, 0)};
  Item item;
  if (!kept_.empty()) {
    item.event = std::move(kept_.front());
    kept_.pop_front();
  } else if (!backlog_.empty()) {
    item = std::move(backlog_.front());
    backlog_.pop_front();
    if (item.event) backlog_bytes_ -= item.event->bytes();
  } else {
    item.lost = std::exchange(lost_, 0);
  }
  return item;
}

std::vector<EventQueue::Item> EventQueue::take(size_t bytes) {
  std::vector<Item> items;
  const std::lock_guard lock(mutex_);
  for (size_t taken = 0; taken < bytes;) {
    Item item = next_locked();
    if (!item.event && item.lost == 0) break;
    taken += item.event ? item.event->bytes() : sizeof item;
    items.push_back(std::move(item));
  }
  waiting_ = items.empty();
  return items;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake_ = nullptr;
  kept_.clear();
  backlog_.clear();
}

}  // namespace cweb::mgnt
