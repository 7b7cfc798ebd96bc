// Many modules at a time at the start: their code may wait, so there are more threads than processors.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace cweb::mgnt {

/// More than there are processors: an onload may sleep.
inline constexpr size_t most_start_threads = 8;

/// Calls `work` once for each item, on as many threads at most, this one among them. Returns when all is done.
template <class Item>
void each(std::vector<Item>& items, size_t threads_at_most, const std::function<void(Item&)>& work) {
  std::atomic<size_t> next{0};
  const auto take_items = [&] {
    for (size_t i = next++; i < items.size(); i = next++) work(items[i]);
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < std::min(items.size(), threads_at_most); ++i) threads.emplace_back(take_items);
  take_items();
}

}  // namespace cweb::mgnt
