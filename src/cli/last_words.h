// What a program writes, of which only the end is wanted: read by a thread of its own, so that the program never waits
// for somebody to read.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"

namespace cweb::cli {

/// Any thread.
class LastWords {
 public:
  static constexpr size_t most_bytes = 4096;

  /// `pipe` is the end to read from.
  static std::unique_ptr<LastWords> listen(UniqueFd pipe);
  ~LastWords();

  /// The last most_bytes of what has been written by now; whole lines, when there was more.
  std::string text() const;

 private:
  LastWords(UniqueFd pipe, UniqueFd wake) : pipe_(std::move(pipe)), wake_(std::move(wake)) {}
  void work();
  void read_some() const;

  const UniqueFd pipe_, wake_;
  mutable std::mutex mutex_;
  mutable std::string text_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace cweb::cli
