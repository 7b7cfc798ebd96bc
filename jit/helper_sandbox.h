// What a compile helper may do and use, and how it says which bound it reached.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "jit/compiler.h"

namespace cweb::jit {

/// First thing in the process: dies with its server, keeps no descriptor but 0 to 2 and `fd`, cannot gain rights.
void isolate_helper(int fd);

/// On the thread that compiles, when the compiler is warm and every file is read: bounds memory from here, installs
/// what turns a reached bound into a last frame on `fd`, and ends all use of files, sockets and processes.
Expected<void> enter_sandbox(int fd, const CompileLimits& limits);

/// Around each compile, on the same thread: the processor time counts from here, and what goes wrong belongs to the
/// source.
class CompileBounds {
 public:
  explicit CompileBounds(const CompileLimits& limits);
  ~CompileBounds();
  CompileBounds(const CompileBounds&) = delete;
  CompileBounds& operator=(const CompileBounds&) = delete;
};

/// Most memory that this process has had in RAM.
size_t peak_memory_bytes();

}  // namespace cweb::jit
