// Notices that the files of a certificate have changed, by whatever way they are replaced: written over, renamed over,
// or behind a symbolic link that leads elsewhere now. Has a thread of its own, which also does what SIGHUP asks for, so
// that reading files holds nobody up.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"
#include "net/tls_credentials.h"

namespace cweb::net {

class TlsWatch {
 public:
  /// Watches from here on. `credentials` outlive the watch.
  static Expected<std::unique_ptr<TlsWatch>> start(TlsCredentials& credentials);
  ~TlsWatch();
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;

  /// Any thread: reads the files now, and says in the log what became of it, whatever it is.
  void reload();

 private:
  TlsWatch(TlsCredentials& credentials, UniqueFd changes, UniqueFd wakeup);

  void work();
  void watch_directories();
  bool take_changes() const;
  void wait(int timeout_ms) const;
  void renew(bool asked);

  TlsCredentials& credentials_;
  const UniqueFd changes_;  ///< inotify
  const UniqueFd wakeup_;
  std::atomic<bool> reload_asked_{false};
  std::atomic<bool> ending_{false};
  // The thread's own from here on.
  std::string last_complaint_;                  ///< what the log was told already
  std::optional<int64_t> complaint_is_due_ms_;  ///< when a pair that cannot be used is no longer one half of a new one
  std::thread thread_;
};

}  // namespace cweb::net
