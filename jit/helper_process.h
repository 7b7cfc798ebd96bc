// The server's end of one compile helper.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "jit/compiler.h"
#include "jit/helper_protocol.h"

namespace cweb::jit {

/// Used by one thread at a time. The destructor kills the process and takes its exit status, so that no zombie stays.
class HelperProcess {
 public:
  /// Starts this binary again as a helper and tells it its options. Does not wait for it. The helper dies with the
  /// thread that calls this.
  static Expected<std::unique_ptr<HelperProcess>> spawn(const CompilerOptions& options);
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  pid_t pid() const { return pid_; }
  int fd() const { return socket_.get(); }

  /// Waits until it is warm. Fails with the sentence why it cannot work.
  Expected<void> wait_until_ready();

  /// The helper ended without an answer and without last words.
  enum class Gone {
    before,  ///< it had ended when the request was sent
    during,  ///< somebody killed it, or it crashed beyond words
  };
  std::expected<HelperAnswer, Gone> compile(std::string_view source, const CompileLimits& limits);

  /// Can it take another request? Once false, the process has ended and its status is taken.
  bool is_usable() const { return pid_ > 0; }
  /// Has its end of the socket been closed? Never waits.
  bool has_hung_up() const { return has_event(0); }
  /// Has it said something, or hung up? Never waits.
  bool has_word() const;
  /// Kills it and takes its status.
  void end();

 private:
  HelperProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
  bool has_event(short events) const;

  pid_t pid_ = -1;  ///< -1: ended and reaped
  UniqueFd socket_;
};

}  // namespace cweb::jit
