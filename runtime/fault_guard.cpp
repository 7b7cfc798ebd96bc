#include "runtime/fault_guard.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "runtime/division_trap.h"
#include "runtime/fault_trace.h"
#include "runtime/last_words.h"
#include "runtime/library_return.h"
#include "runtime/module_output.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "runtime/processor_state.h"
#include "runtime/stream_lock.h"

namespace cweb::runtime {

thread_local volatile int HostSection::depth_ = 0;
thread_local uintptr_t HostSection::lowest_frame_ = 0;
thread_local const char* volatile AllocatorProbe::function_ = nullptr;

namespace {

constexpr std::array fault_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
/// The first is one that debuggers and profilers use.
int deadline_signal() {
  return SIGRTMIN + 3;
}

/// Room for a signal frame with the widest registers, the unwinder, and a sanitizer.
constexpr size_t signal_stack_bytes = size_t{128} << 10;
constexpr size_t page_bytes = 4096;

/// Of a stack, for the host's own functions: they are not interrupted by its end. Of a small one a quarter.
#ifdef CWEB_SANITIZED
constexpr size_t section_room_bytes = size_t{128} << 10;
#else
constexpr size_t section_room_bytes = size_t{32} << 10;
#endif
/// Of the guard below a stack, opened for a library that meets it, perhaps with its locks held.
constexpr size_t library_room_bytes = size_t{256} << 10;

thread_local Range thread_stack_guard;
thread_local CallingThread* volatile calling_thread = nullptr;
thread_local volatile bool tracing = false;
thread_local volatile bool guard_is_open = false;
thread_local sigjmp_buf* volatile way_out = nullptr;  // of survives()

std::array<struct sigaction, 65> previous_actions;

// ---- the handlers

/// Of REG_ERR, as the processor gives it for a page fault.
constexpr greg_t error_write = 2;
constexpr greg_t error_fetch = 16;

void describe(FaultRecord& record, int signal_number, const siginfo_t& info, const ucontext_t& context) {
  record.kind = FaultRecord::Kind::signal;
  record.signal = signal_number;
  record.code = info.si_code;
  record.place = FaultRecord::Place::elsewhere;
  record.writes = record.executes = false;
  record.address = 0;
  record.reason[0] = 0;
  if (AllocatorProbe::entered()) {
    record.place = FaultRecord::Place::no_block;
    strncpy(record.reason, AllocatorProbe::function(), sizeof record.reason - 1);
    return;
  }
  const bool by_processor = signal_number != SIGABRT && info.si_code > 0;
  if (!by_processor) return;
  record.address = reinterpret_cast<uintptr_t>(info.si_addr);
  if (signal_number == SIGILL && is_division_trap(record.address)) {
    record.signal = SIGFPE;
    record.code = FPE_INTDIV;
  }
  if (signal_number != SIGSEGV && signal_number != SIGBUS) return;
  const greg_t error = context.uc_mcontext.gregs[REG_ERR];
  record.writes = (error & error_write) != 0;
  record.executes =
      (error & error_fetch) != 0 || (info.si_code != SI_KERNEL && record.address == registers_of(context).pc);
  if (info.si_code == SI_KERNEL) return;  // no page fault: the address is not told
  if (thread_stack_guard.contains(record.address)) {
    record.place = FaultRecord::Place::stack_guard;
  } else if (behind_response_buffer(info.si_addr)) {
    record.place = FaultRecord::Place::response_guard;
  } else if (record.address < page_bytes) {
    record.place = FaultRecord::Place::near_null;
  }
}

/// No fault of a module: whoever had the signal before gets it, which is the end of the process.
void pass_on(int signal_number, siginfo_t* info, void* context) {
  const struct sigaction& previous = previous_actions[static_cast<size_t>(signal_number)];
  const bool has_function =
      (previous.sa_flags & SA_SIGINFO) != 0 || (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN);
  if (!has_function && is_first_to_die()) {
    say_last_words(signal_number);
    wait_for_output();
  }
  sigaction(signal_number, &previous, nullptr);
  if (has_function && (previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(signal_number, info, context);
  if (has_function) return previous.sa_handler(signal_number);
  // A fault of the processor's comes again when the handler returns; one that was sent does not.
  if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), gettid(), signal_number);
}

bool is_own_abort(int signal_number, const siginfo_t& info) {
  return signal_number == SIGABRT && info.si_code == SI_TKILL && info.si_pid == getpid();
}

/// The stack has ended while a library was at work, perhaps with its locks held. It gets some of the guard to finish
/// on, and the call ends when it returns. False where that cannot be.
bool let_library_finish(FaultRecord& fault, const Unwinding& unwinding) {
  const uintptr_t guard_bytes = thread_stack_guard.end - thread_stack_guard.begin;
  if (fault.place != FaultRecord::Place::stack_guard || !fault.outside_module || guard_is_open ||
      guard_bytes < 2 * library_room_bytes) {
    return false;
  }
  uintptr_t* const slot = return_address(unwinding);
  if (slot == nullptr) return false;
  void* const room = reinterpret_cast<void*>(thread_stack_guard.end - library_room_bytes);
  if (mprotect(room, library_room_bytes, PROT_READ | PROT_WRITE) != 0) return false;
  guard_is_open = true;
  fault.outside_module = false;  // nothing of it will be half done
  stop_at_return(*slot);
  return true;
}

void on_fault(int signal_number, siginfo_t* info, void* given) {
  restore_processor_state();
  if (way_out != nullptr && info->si_code > 0) siglongjmp(*way_out, 1);
  RecoveryPoint* const point = recovery_point();
  const bool of_this_thread = info->si_code > 0 || is_own_abort(signal_number, *info);
  if (point == nullptr || current_version() == nullptr || !of_this_thread || HostSection::entered()) {
    return pass_on(signal_number, info, given);
  }
  // A fault while looking at the stack: it was smashed. What is known by now is enough.
  if (tracing) siglongjmp(point->jump, 1);
  const auto& context = *static_cast<const ucontext_t*>(given);
  const Registers at = registers_of(context);
  describe(point->fault, signal_number, *info, context);
  tracing = true;
  put_return_back();
  const Unwinding unwinding = trace(point->fault, at);
  if (let_library_finish(point->fault, unwinding)) return;
  if (!unwinding.in_allocator || AllocatorProbe::entered()) siglongjmp(point->jump, 1);
  // The process's allocator was at work, perhaps on something that a module has overwritten; its locks are held.
  tracing = false;
  pass_on(signal_number, info, given);
}

void install(int signal_number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  // Not masked while the handler runs: it leaves by a jump that does not restore the mask.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | flags;
  sigemptyset(&action.sa_mask);
  CWEB_ASSERT(sigaction(signal_number, &action, &previous_actions[static_cast<size_t>(signal_number)]) == 0);
}

}  // namespace

/// exit() is main's. On another thread it is a library's, in a call of a module: an end that nobody asked for, and so a
/// death like others, with a name.
static void end_loudly_unless_main() {
  if (gettid() == getpid()) return;
  log::say(spdlog::level::critical, "cweb: exit() was called on a thread that is not main's");
  say_last_words(SIGABRT);
  signal(SIGABRT, SIG_DFL);
  abort();
}

/// Code of the version that is called, or of another one whose functions it calls: what is neither the server's nor a
/// library's. Takes no lock.
static bool is_module_code(void* pc) {
  dl_find_object found{};
  return current_version()->image().contains(pc) || _dl_find_object(pc, &found) != 0;
}

struct DeadlineSignal {
  static void note(CallingThread& thread, uint64_t call, const FaultRecord& seen) {
    thread.seen_ = seen;
    thread.seen_call_.store(call, std::memory_order_release);
  }

  /// No object with a destructor here: the jump comes back over it.
  static void look(CallingThread& thread, uint64_t call, RecoveryPoint& point, const Registers& at, bool is_overdue,
                   bool ends) {
    // A stack that the module has smashed cannot be looked at: the jump out of that ends the call with what is known by
    // then. Not in a section, where it goes on.
    sigjmp_buf jump;
    if (HostSection::entered()) {
      if (sigsetjmp(jump, 0) != 0) {
        way_out = nullptr;
        tracing = false;
        return;
      }
      way_out = &jump;
    }
    point.fault = {};
    point.fault.kind = FaultRecord::Kind::deadline;
    tracing = true;
    put_return_back();
    const Unwinding unwinding = trace(point.fault, at);
    way_out = nullptr;
    if (ends) siglongjmp(point.jump, 1);
    tracing = false;
    // On the way into the call or out of it there is nothing to see.
    const bool is_new = thread.seen_call_.load(std::memory_order_relaxed) != call;
    if (is_new && point.fault.frame_count > 0) note(thread, call, point.fault);
    uintptr_t* const slot = is_overdue ? return_address(unwinding) : nullptr;
    if (slot == nullptr) return;
    // A loop around a library's functions is hardly ever seen between them.
    point.fault.outside_module = false;
    stop_at_return(*slot);
  }

  static void handle(int, siginfo_t*, void* given) {
    restore_processor_state();
    const int saved_errno = errno;
    CallingThread* const thread = calling_thread;
    RecoveryPoint* const point = recovery_point();
    if (thread == nullptr || point == nullptr || current_version() == nullptr || tracing) return;
    const uint64_t call = thread->call_.load(std::memory_order_relaxed);
    const bool is_overdue = thread->overdue_.load(std::memory_order_acquire) == call;
    if (!is_overdue && thread->asked_.load(std::memory_order_acquire) != call) return;
    const Registers at = registers_of(*static_cast<const ucontext_t*>(given));
    const bool in_module = is_module_code(reinterpret_cast<void*>(at.pc));
    if (!in_module && returned_to_way_out(at.sp)) return;
    const bool ends = is_overdue && in_module && !HostSection::entered();
    const bool is_new = thread->seen_call_.load(std::memory_order_relaxed) != call;
    if (is_new || is_overdue) look(*thread, call, *point, at, is_overdue, ends);
    errno = saved_errno;
  }
};

void set_up_fault_guard() {
  static const bool done = [] {
    set_up_tracing();
    for (const int signal_number : fault_signals) install(signal_number, on_fault, 0);
    install(deadline_signal(), DeadlineSignal::handle, 0);
    // Whoever started this process may have blocked them, and a fault whose signal is blocked ends it.
    sigset_t ours;
    sigemptyset(&ours);
    for (const int signal_number : fault_signals) sigaddset(&ours, signal_number);
    sigaddset(&ours, deadline_signal());
    pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
    CWEB_ASSERT(atexit(end_loudly_unless_main) == 0);
    // Space below each stack, so that a large frame does not step over the guard into other memory.
    pthread_attr_t attributes;
    pthread_getattr_default_np(&attributes);
    pthread_attr_setguardsize(&attributes, size_t{1} << 20);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    return true;
  }();
  static_cast<void>(done);
}

bool survives(void (*function)(const void*), const void* argument) {
  set_up_fault_guard();
  sigjmp_buf jump;
  if (sigsetjmp(jump, 0) != 0) {
    way_out = nullptr;
    return false;
  }
  way_out = &jump;
  function(argument);
  way_out = nullptr;
  return true;
}

ThreadGuard::ThreadGuard()
    : stack_(mmap(nullptr, signal_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)),
      thread_(std::make_shared<CallingThread>()) {
  CWEB_ASSERT(stack_ != MAP_FAILED);
  const stack_t stack{.ss_sp = stack_, .ss_flags = 0, .ss_size = signal_stack_bytes};
  CWEB_ASSERT(sigaltstack(&stack, &previous_) == 0);
  pthread_attr_t attributes;
  CWEB_ASSERT(pthread_getattr_np(pthread_self(), &attributes) == 0);
  void* begin = nullptr;
  size_t bytes = 0, guard = 0;
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_getguardsize(&attributes, &guard);
  pthread_attr_destroy(&attributes);
  const auto address = reinterpret_cast<uintptr_t>(begin);
  set_traced_stack({address, address + bytes});
  thread_stack_guard = {address - guard, address};
  HostSection::lowest_frame_ = address + std::min(section_room_bytes, bytes / 4);
  calling_thread = thread_.get();
}

ThreadGuard::~ThreadGuard() {
  calling_thread = nullptr;
  HostSection::lowest_frame_ = 0;
  sigaltstack(&previous_, nullptr);
  munmap(stack_, signal_stack_bytes);
}

CallingThread::CallingThread() : thread_id_(gettid()) {}

CallingThread* CallingThread::current() {
  return calling_thread;
}

CallingThread::Progress CallingThread::interrupt(uint64_t call) {
  const uint64_t now = call_.load(std::memory_order_acquire);
  if (now != call) return now < call ? Progress::to_begin : Progress::over;
  overdue_.store(call, std::memory_order_release);
  // A thread that has ended meanwhile, whose number is another's by now, has another call.
  syscall(SYS_tgkill, getpid(), thread_id_, deadline_signal());
  return Progress::inside;
}

uint64_t CallingThread::ask_where() {
  const uint64_t now = call_.load(std::memory_order_acquire);
  if (now % 2 == 0) return 0;
  asked_.store(now, std::memory_order_release);
  syscall(SYS_tgkill, getpid(), thread_id_, deadline_signal());
  return now;
}

bool CallingThread::last_seen(uint64_t call, FaultRecord& record) const {
  if (seen_call_.load(std::memory_order_acquire) != call) return false;
  record = seen_;
  return true;
}

void hold_deadline_off() {
  tracing = true;
}

void HostSection::stop_without_room() {
  RecoveryPoint* const point = recovery_point();
  if (point == nullptr || current_version() == nullptr) return;
  // A stack that the module has made is somewhere else.
  if (!traced_stack().contains(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)))) return;
  hold_deadline_off();
  point->fault = {};
  point->fault.kind = FaultRecord::Kind::signal;
  point->fault.signal = SIGSEGV;
  point->fault.place = FaultRecord::Place::stack_guard;
  trace_call(point->fault);
  siglongjmp(point->jump, 1);
}

void trace_call(FaultRecord& record) {
  record.frame_count = record.frames_left_out = 0;
  if (current_version() == nullptr) return;
  put_return_back();
  trace_through_libraries(record);
}

void stop_when_overdue() {
  const CallingThread* const thread = calling_thread;
  RecoveryPoint* const point = recovery_point();
  if (thread == nullptr || point == nullptr || current_version() == nullptr || !thread->is_overdue()) return;
  tracing = true;  // the signal that is on its way finds nothing to do
  point->fault = {};
  point->fault.kind = FaultRecord::Kind::deadline;
  trace_call(point->fault);
  siglongjmp(point->jump, 1);
}

static void release_standard_streams() {
  for (FILE* stream : {stdin, stdout, stderr}) release_stream_lock(stream);
  release_output_locks();
}

/// The pages of an overflown stack: nobody knows when this thread will need them again.
static void give_stack_back() {
  constexpr uintptr_t kept_bytes = uintptr_t{256} << 10;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) / page_bytes * page_bytes;
  if (!traced_stack().contains(here) || here - traced_stack().begin <= kept_bytes) return;
  madvise(reinterpret_cast<void*>(traced_stack().begin), here - kept_bytes - traced_stack().begin, MADV_DONTNEED);
}

static void close_stack_guard() {
  if (!guard_is_open) return;
  void* const room = reinterpret_cast<void*>(thread_stack_guard.end - library_room_bytes);
  madvise(room, library_room_bytes, MADV_DONTNEED);
  CWEB_ASSERT(mprotect(room, library_room_bytes, PROT_NONE) == 0);
  guard_is_open = false;
}

void after_fault(const FaultRecord& fault) {
  close_stack_guard();
  if (fault.place == FaultRecord::Place::stack_guard) give_stack_back();
  tracing = false;
  forget_exchanged_return();
  HostSection::reset();
  AllocatorProbe::reset();
  release_standard_streams();
}

}  // namespace cweb::runtime
