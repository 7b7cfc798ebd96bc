// The last events of one kind: at most so many, and at most so many bytes. Takes memory as it fills.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "mgnt/event.h"

namespace cweb::mgnt {

/// Used behind the event log's lock.
class EventRing {
 public:
  EventRing(size_t most_events, size_t most_bytes) : most_events_(most_events), most_bytes_(most_bytes) {}

  /// What has to make room goes to `gone`, so that it is destroyed without the lock.
  void push(EventPtr event, std::vector<EventPtr>& gone) {
    bytes_ += event->bytes();
    while (count_ > 0 && (count_ == most_events_ || bytes_ > most_bytes_)) gone.push_back(take_oldest());
    if (count_ == slots_.size()) grow();
    slots_[(first_ + count_++) % slots_.size()] = std::move(event);
  }

  size_t size() const { return count_; }
  /// The number of the last one that had to make room; 0: none had to.
  uint64_t last_gone() const { return last_gone_; }
  /// The oldest first.
  const EventPtr& operator[](size_t i) const { return slots_[(first_ + i) % slots_.size()]; }
  /// Index of the first whose number is beyond `id`; size() when there is none.
  size_t first_after(uint64_t id) const {
    size_t low = 0, high = count_;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if ((*this)[middle]->id > id) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

 private:
  EventPtr take_oldest() {
    EventPtr oldest = std::move(slots_[first_]);
    first_ = (first_ + 1) % slots_.size();
    --count_;
    bytes_ -= oldest->bytes();
    last_gone_ = oldest->id;
    return oldest;
  }
  void grow() {
    std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_), slots_.end());
    first_ = 0;
    slots_.resize(std::min(most_events_, std::max<size_t>(16, 2 * slots_.size())));
  }

  const size_t most_events_, most_bytes_;
  std::vector<EventPtr> slots_;
  size_t first_ = 0, count_ = 0, bytes_ = 0;
  uint64_t last_gone_ = 0;
};

}  // namespace cweb::mgnt
