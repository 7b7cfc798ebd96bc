#include "system_calls.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "pace.h"
#include "process_facts.h"

namespace cweb::e2e {
namespace {

constexpr int calls_fd = 203;

}  // namespace

SystemCalls::SystemCalls(const std::vector<pid_t>& processes, const std::string& which) {
  std::vector<std::string> command{"strace",
                                   "-f",
                                   "-q",
                                   "-e",
                                   "trace=" + which,
                                   "-e",
                                   "signal=none",
                                   "-o",
                                   "/proc/self/fd/" + std::to_string(calls_fd)};
  for (const pid_t pid : processes) command.insert(command.end(), {"-p", std::to_string(pid)});
  strace_ = start_program(command, {{calls_.fd(), calls_fd}, {messages_.fd(), 1}, {messages_.fd(), 2}});
  const bool attached = eventually([&] {
    return std::all_of(processes.begin(), processes.end(), [](pid_t process) {
      const std::vector<pid_t> threads = threads_of(process);
      return std::all_of(threads.begin(), threads.end(), is_traced);
    });
  });
  EXPECT_TRUE(attached) << "strace does not attach: " << messages_.text();
}

SystemCalls::~SystemCalls() {
  if (strace_ > 0) finish();
}

std::string SystemCalls::finish() {
  kill(strace_, SIGINT);
  EXPECT_NE(wait_for_end(strace_, patience), -1);
  strace_ = -1;
  return calls_.text();
}

}  // namespace cweb::e2e
