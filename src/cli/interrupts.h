// Ctrl-C, and what else asks a command to end, as something to look at between two steps: what was begun is ended in
// order. One object at a time, before there are threads.
#pragma once

#include <atomic>

#include "base/error.h"
#include "base/unique_fd.h"

namespace cweb::cli {

class Interrupts {
 public:
  /// From here on SIGINT, SIGTERM and SIGHUP are noted and end nothing; the third one ends the process at once. One
  /// that was ignored stays ignored.
  static Expected<Interrupts> take_over();

  bool came() const { return flag()->load(); }
  /// Readable from the first on.
  int fd() const { return wake_.get(); }
  /// Makes it unreadable until the next one comes.
  void clear() const;
  /// True from the first on.
  const std::atomic<bool>* flag() const;

 private:
  explicit Interrupts(UniqueFd wake) : wake_(std::move(wake)) {}
  UniqueFd wake_;
};

}  // namespace cweb::cli
