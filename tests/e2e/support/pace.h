// How long to wait and how much to do: the sanitizers make everything several times slower, and no bound here is a
// measurement. A bound that is reached is a hang.
#pragma once

#include <chrono>
#include <thread>

namespace cweb::e2e {

#ifdef CWEB_SANITIZED
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// Bounds on time are so many times as long here.
inline constexpr int slowness = sanitized ? 10 : 1;

/// So many repetitions in release, fewer where each of them costs more.
constexpr int repetitions(int in_release, int under_sanitizers) {
  return sanitized ? under_sanitizers : in_release;
}

/// How long one answer may take before it counts as a hang.
inline constexpr std::chrono::milliseconds patience = std::chrono::seconds(15) * (sanitized ? 4 : 1);

/// Waits until the condition holds; false when it did not within the time.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds time = patience) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace cweb::e2e
