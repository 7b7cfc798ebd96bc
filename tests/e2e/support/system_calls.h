// The kernel's own account of what processes ask of it: strace on processes that run already, with all their threads.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "child_process.h"

namespace cweb::e2e {

class SystemCalls {
 public:
  /// Returns when every thread is traced. `which` as for strace's -e trace=.
  SystemCalls(const std::vector<pid_t>& processes, const std::string& which);
  ~SystemCalls();
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;

  /// Lets the processes go; what strace wrote, a line for each call, beginning with its thread.
  std::string finish();

 private:
  OutputFile calls_;
  OutputFile messages_;
  pid_t strace_ = -1;
};

}  // namespace cweb::e2e
