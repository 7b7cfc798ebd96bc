#include "runtime/thread_share.h"

#include <algorithm>

namespace cweb::runtime {

int ThreadShare::stuck() const {
  // Who watches over stuck calls hears of the end of one a little later than it comes.
  return std::min(stuck_.load(std::memory_order_relaxed), in_use());
}

std::optional<ThreadShare::Use> ThreadShare::try_take(int most) {
  int in_use = in_use_.load(std::memory_order_relaxed);
  do {
    if (in_use >= most) return std::nullopt;
  } while (!in_use_.compare_exchange_weak(in_use, in_use + 1, std::memory_order_relaxed));
  return Use(shared_from_this());
}

std::shared_ptr<ThreadShare> ThreadShares::of(const std::string& module) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<ThreadShare>& known = shares_[module];
  std::shared_ptr<ThreadShare> share = known.lock();
  if (share) return share;
  share = std::make_shared<ThreadShare>();
  known = share;
  if (shares_.size() >= sweep_at_) {
    std::erase_if(shares_, [](const auto& each) { return each.second.expired(); });
    sweep_at_ = 2 * std::max<size_t>(shares_.size(), 512);
  }
  return share;
}

}  // namespace cweb::runtime
