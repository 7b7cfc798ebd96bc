// Lines on their way from a loop to the thread that writes them: a ring of bytes between one writer and one reader,
// without a lock and without a system call.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"

namespace cweb::server {

class LineRing {
 public:
  /// `bytes` is a power of two.
  explicit LineRing(size_t bytes) : size_(bytes), memory_(std::make_unique_for_overwrite<char[]>(bytes)) {
    CWEB_ASSERT((bytes & (bytes - 1)) == 0);
  }

  /// Writer: the whole line, or nothing and false where it has no room.
  bool push(std::string_view line) {
    const size_t end = end_.load(std::memory_order_relaxed);
    if (line.size() > size_ - (end - begin_.load(std::memory_order_acquire))) return false;
    const size_t at = end & (size_ - 1);
    const size_t first = std::min(line.size(), size_ - at);
    std::memcpy(memory_.get() + at, line.data(), first);
    std::memcpy(memory_.get(), line.data() + first, line.size() - first);
    end_.store(end + line.size(), std::memory_order_release);
    return true;
  }

  /// Reader: what is there, as far as it lies in one piece. Empty when nothing is.
  std::span<const char> front() const {
    const size_t begin = begin_.load(std::memory_order_relaxed);
    const size_t at = begin & (size_ - 1);
    return {memory_.get() + at, std::min(end_.load(std::memory_order_acquire) - begin, size_ - at)};
  }
  /// Reader: the first `bytes` of it are done with.
  void pop(size_t bytes) { begin_.store(begin_.load(std::memory_order_relaxed) + bytes, std::memory_order_release); }

 private:
  const size_t size_;
  const std::unique_ptr<char[]> memory_;
  // Counted from the beginning of time and never wrapped; on a cache line for each side.
  alignas(64) std::atomic<size_t> end_{0};
  alignas(64) std::atomic<size_t> begin_{0};
};

}  // namespace cweb::server
