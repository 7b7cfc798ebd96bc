// A program in a pseudo-terminal of its own, as a person sees it. Used by the test's thread; the program dies with it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace cweb::e2e {

class Terminal {
 public:
  /// Starts the program, searched in PATH, with TERM=xterm unless the environment says otherwise.
  explicit Terminal(const std::vector<std::string>& command);
  /// Kills the program when it runs still.
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  pid_t pid() const { return pid_; }
  /// Everything that was shown so far, as the bytes came: lines end in "\r\n".
  const std::string& shown() const { return shown_; }
  /// Waits until this text is shown behind what was awaited before. False when it does not come in time.
  bool await(const std::string& text);
  /// As from the keyboard: "\r" is Enter, "\x03" Ctrl-C.
  void type(const std::string& keys);
  /// Does the terminal show what is typed?
  bool echoes() const;
  /// Reads on until the program has ended: the status as waitpid(2) gives it, -1 when it does not end in time.
  int await_end();

 private:
  /// Reads what there is, waiting a little for it. False at the end.
  bool read_some();

  UniqueFd master_;
  pid_t pid_ = -1;
  std::string shown_;
  size_t awaited_ = 0;
};

}  // namespace cweb::e2e
