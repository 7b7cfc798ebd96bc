// Somebody who goes on asking, on a thread of its own, while a test does its worst: none of the answers may be missing.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace cweb::e2e {

/// Deploys a counting module for itself, and asks it until the end.
class SteadyClient {
 public:
  explicit SteadyClient(uint16_t port);
  /// Fails the test when a request failed, was refused, or was not counted.
  ~SteadyClient();
  SteadyClient(const SteadyClient&) = delete;
  SteadyClient& operator=(const SteadyClient&) = delete;

  /// So many more answers have come.
  void wait_for_answers(int count);

 private:
  void ask(uint16_t port);

  std::atomic<bool> stopping_{false};
  std::atomic<int> answers_{0};
  std::string failure_;  // written by the thread, read when it has ended
  std::thread thread_;
};

}  // namespace cweb::e2e
