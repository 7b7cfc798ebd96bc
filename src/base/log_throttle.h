// For events that may come by the thousand: a line now and then tells as much as one for each, and costs nobody a disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace cweb::log {

/// One kind of event. Owned and used by one thread.
class Throttle {
 public:
  explicit Throttle(int64_t interval_ms) : interval_ms_(interval_ms) {}

  /// The event has happened. When a line is due: of how many events it tells, this one included.
  std::optional<size_t> event(int64_t now_ms) {
    ++untold_;
    if (told_ && now_ms - told_at_ms_ < interval_ms_) return std::nullopt;
    told_ = true;
    told_at_ms_ = now_ms;
    const size_t events = untold_;
    untold_ = 0;
    return events;
  }

 private:
  const int64_t interval_ms_;
  bool told_ = false;
  int64_t told_at_ms_ = 0;
  size_t untold_ = 0;
};

}  // namespace cweb::log
