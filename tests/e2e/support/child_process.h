// Starts programs and waits for them. Used by the test's thread; a program dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace cweb::e2e {

/// Which of the test's descriptors the program gets as which.
using PassedFds = std::vector<std::pair<int, int>>;

/// The program's own process id, or -1 when it could not be started. It gets standard input from /dev/null.
pid_t start_program(const std::vector<std::string>& command, const PassedFds& fds,
                    const std::vector<std::string>& environment = {});

/// The status as waitpid(2) gives it, or -1 when the program did not end in time.
int wait_for_end(pid_t pid, std::chrono::milliseconds time);

/// "exit code 1", "killed by signal 11 (Segmentation fault)".
std::string describe_end(int wait_status);

/// A file in memory that a program can write to; its text can be read at any time.
class OutputFile {
 public:
  OutputFile();
  int fd() const { return fd_.get(); }
  std::string text() const;

 private:
  UniqueFd fd_;
};

struct Finished {
  int exit_code = -1;  ///< -1: it was killed, could not be started or did not end in time
  std::string out;     ///< standard output
  std::string err;     ///< standard error
};

/// Runs a program to its end. Searched in PATH. `fds` are passed beside standard output and error.
Finished run_program(const std::vector<std::string>& command, const PassedFds& fds = {});

}  // namespace cweb::e2e
