// Faults of module code: recognised in a signal handler, noted, and jumped away from. What is no module's fault goes to
// whoever had the signal before: our own bugs crash loudly.
#pragma once

#include <signal.h>

#include <cstdint>
#include <memory>

#include "runtime/calling_thread.h"

namespace cweb::runtime {

/// Installs the signal handlers of the process. Before module code runs; more than once is once.
void set_up_fault_guard();

/// Gives the calling thread what it needs to outlive a fault: a stack for the signal handler, and the knowledge of its
/// own stack's bounds. One for each thread that may run module code, made and destroyed on it.
class ThreadGuard {
 public:
  ThreadGuard();
  ~ThreadGuard();
  ThreadGuard(const ThreadGuard&) = delete;
  ThreadGuard& operator=(const ThreadGuard&) = delete;

 private:
  void* stack_;
  stack_t previous_{};
  const std::shared_ptr<CallingThread> thread_;
};

/// Around what a host function does while it holds a lock or owns an object: a fault there is ours, and no deadline
/// ends the call there. It must not read or write memory that the module gave. A call that has come near the end of its
/// stack ends before the section, as a stack overflow: nothing that has to be given back may be held by then.
class HostSection {
 public:
  HostSection() {
    if (depth_ == 0 && reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) < lowest_frame_) stop_without_room();
    depth_ = depth_ + 1;
  }
  ~HostSection() { depth_ = depth_ - 1; }
  HostSection(const HostSection&) = delete;
  HostSection& operator=(const HostSection&) = delete;

  static bool entered() { return depth_ != 0; }
  /// After a jump out of a call, which cannot be out of one of these.
  static void reset() { depth_ = 0; }

 private:
  friend class ThreadGuard;
  static void stop_without_room();

  static thread_local volatile int depth_;
  static thread_local uintptr_t lowest_frame_;  ///< below it there is no room for a section; 0: not known
};

/// Around what reads before an address that a module wants freed, and the process's own allocator's look at it: a fault
/// there is before a lock is taken.
/// `function` is what the module has called, a literal: the report names it.
class AllocatorProbe {
 public:
  explicit AllocatorProbe(const char* function) { function_ = function; }
  ~AllocatorProbe() { function_ = nullptr; }
  AllocatorProbe(const AllocatorProbe&) = delete;
  AllocatorProbe& operator=(const AllocatorProbe&) = delete;

  static bool entered() { return function_ != nullptr; }
  static const char* function() { return function_; }
  static void reset() { function_ = nullptr; }

 private:
  static thread_local const char* volatile function_;
};

/// Calls the function on a thread that is inside no module's code: false when it faulted. It must not own anything
/// then.
bool survives(void (*function)(const void*), const void* argument);

/// On a thread that is about to leave its call by a jump: from here to after_fault() no deadline ends it or overwrites
/// what is noted of it.
void hold_deadline_off();

/// Notes where in the current version's code the calling thread is. For a call that ends itself.
void trace_call(FaultRecord& record);

/// Ends the calling thread's call if its deadline has come. For a host function that the module has called itself,
/// where nothing is held.
void stop_when_overdue();

/// On a thread that has come back from a call by a jump: gives back what the call has left behind on it. Among that are
/// the locks of the standard streams, the server's and the module's: a function of stdio may have been left in the
/// middle.
void after_fault(const FaultRecord& fault);

}  // namespace cweb::runtime
