// A server that says the same to everybody, whatever it is asked: what a client may meet that is no server of ours.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace cweb::e2e {

class CannedServer {
 public:
  /// Reads a request, or the first bytes of something else, sends the answer and closes the connection.
  explicit CannedServer(std::string answer);
  ~CannedServer();
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  uint16_t port() const { return port_; }
  std::string url() const { return "http://localhost:" + std::to_string(port_); }
  /// What was received, one for each connection.
  std::vector<std::string> requests() const;

  /// A whole answer in JSON.
  static std::string json(int status, const std::string& body);

 private:
  void serve();
  void answer(int fd);

  const std::string answer_;
  UniqueFd listener_;
  UniqueFd stop_;  ///< an eventfd
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace cweb::e2e
