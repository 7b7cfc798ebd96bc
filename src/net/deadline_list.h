// Deadlines of one length: since each new one is the latest, a list in order of arrival is sorted by time, and arming,
// re-arming and disarming cost a few pointers.
#pragma once

#include <cstdint>

namespace cweb::net {

/// Member of whatever has deadlines; in at most one list at a time. Leaves its list when it is destroyed.
class Deadline {
 public:
  Deadline() = default;
  ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool armed() const { return next_ != nullptr; }
  void disarm() {
    if (!armed()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }
  /// Whom to tell; set once by the owner.
  void* owner = nullptr;

 private:
  friend class DeadlineList;
  Deadline* previous_ = nullptr;
  Deadline* next_ = nullptr;
  int64_t at_ms_ = 0;
};

/// Owned and used by one loop.
class DeadlineList {
 public:
  explicit DeadlineList(int64_t length_ms);
  DeadlineList(const DeadlineList&) = delete;
  DeadlineList& operator=(const DeadlineList&) = delete;

  /// The deadline comes `length_ms` after now; it leaves the list that it is in.
  void arm(Deadline& deadline, int64_t now_ms);
  /// Takes one deadline that has come out of the list, or null.
  Deadline* take_due(int64_t now_ms);
  /// Milliseconds until the next one, or -1 when there is none.
  int64_t next_in_ms(int64_t now_ms) const;

 private:
  const int64_t length_ms_;
  Deadline head_;
};

}  // namespace cweb::net
