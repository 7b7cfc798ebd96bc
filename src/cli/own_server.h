// The server that `cweb run` starts for itself: a child process, which ends with this one, however this one ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "cli/last_words.h"

namespace cweb::cli {

struct OwnServerOptions {
  std::optional<uint16_t> port;      ///< none: 8080, or a free one when that is taken
  std::vector<std::string> further;  ///< options of `cweb serve`
};

class OwnServer {
 public:
  /// Returns when it answers requests. A failure has what the server said last.
  static Expected<std::unique_ptr<OwnServer>> start(const OwnServerOptions& options);
  /// Kills it, unless stop() has ended it.
  ~OwnServer();
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  /// "http://127.0.0.1:8080".
  const std::string& url() const { return url_; }
  /// The same for people: "http://localhost:8080".
  const std::string& shown_url() const { return shown_url_; }
  /// Was 8080 to be its port, and somebody else has it?
  bool usual_port_is_taken() const { return usual_port_is_taken_; }
  /// Readable when the process has ended.
  int end_fd() const { return process_.get(); }
  /// The last lines of its log.
  std::string last_words() const;

  /// Asks it to end and waits: about a second, or until `interrupt_fd` is readable, then it is killed.
  void stop(int interrupt_fd);

 private:
  OwnServer() = default;
  static Expected<std::unique_ptr<OwnServer>> start_on(uint16_t port, const std::vector<std::string>& further);
  Expected<void> await_ready(int ready_fd);

  pid_t pid_ = -1;
  UniqueFd process_;
  std::unique_ptr<LastWords> log_;
  std::string url_;
  std::string shown_url_;
  bool usual_port_is_taken_ = false;
};

}  // namespace cweb::cli
