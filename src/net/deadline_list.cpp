#include "net/deadline_list.h"

#include <algorithm>

namespace cweb::net {

DeadlineList::DeadlineList(int64_t length_ms) : length_ms_(length_ms) {
  head_.previous_ = head_.next_ = &head_;
}

void DeadlineList::arm(Deadline& deadline, int64_t now_ms) {
  deadline.disarm();
  deadline.at_ms_ = now_ms + length_ms_;
  deadline.previous_ = head_.previous_;
  deadline.next_ = &head_;
  deadline.previous_->next_ = &deadline;
  head_.previous_ = &deadline;
}

Deadline* DeadlineList::take_due(int64_t now_ms) {
  Deadline* first = head_.next_;
  if (first == &head_ || first->at_ms_ > now_ms) return nullptr;
  first->disarm();
  return first;
}

int64_t DeadlineList::next_in_ms(int64_t now_ms) const {
  if (head_.next_ == &head_) return -1;
  return std::max<int64_t>(0, head_.next_->at_ms_ - now_ms);
}

}  // namespace cweb::net
