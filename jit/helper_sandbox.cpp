// The helper's bounds: kernel limits, a system call filter, and handlers that name what was reached. Everything here is
// about the one process it runs in, which is why it has state of its own: signal handlers have no object.
#include "jit/helper_sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <llvm/Support/ErrorHandling.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#ifdef CWEB_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "jit/helper_protocol.h"

namespace cweb::jit {
namespace {

constexpr int exit_at_limit = 3;

// Written before the sandbox is entered, read by handlers.
int answer_fd = -1;
uintptr_t stack_begin = 0;  ///< lowest address of the compile thread's stack, guard pages below
std::atomic<bool> compiling = false;
alignas(16) std::array<char, 64 << 10> handler_stack;

/// Ends the process. While a source is being compiled the server is told why; nothing else is on the socket then.
/// Callable from signal handlers and with no memory left.
[[noreturn]] void end_helper(LimitReached limit, const char* reason = "") {
  if (compiling.exchange(false)) {
    std::array<char, 512> message{};
    const std::string_view word = word_of(limit);
    size_t size = word.copy(message.data() + sizeof(FrameHeader), word.size());
    const size_t reason_bytes = std::min(std::strlen(reason), message.size() - sizeof(FrameHeader) - size - 1);
    if (reason_bytes > 0) {
      message[sizeof(FrameHeader) + size++] = ' ';
      std::memcpy(message.data() + sizeof(FrameHeader) + size, reason, reason_bytes);
      size += reason_bytes;
    }
    const FrameHeader header{static_cast<uint32_t>(FrameKind::limit), static_cast<uint32_t>(size), 0};
    std::memcpy(message.data(), &header, sizeof header);
    // Nobody is left to hear about a failed write.
    [[maybe_unused]] const ssize_t written = ::write(answer_fd, message.data(), sizeof header + size);
  }
  ::_exit(exit_at_limit);
}

void on_memory_out() {
  end_helper(LimitReached::memory);
}
void on_bad_alloc(void*, const char*, bool) {
  end_helper(LimitReached::memory);
}
void on_fatal_error(void*, const char* reason, bool) {
  end_helper(LimitReached::fatal, reason);
}
void on_cpu_limit(int) {
  end_helper(LimitReached::cpu);
}

void on_crash(int, siginfo_t* info, void* context) {
  // The guard pages are the only ones that a deep recursion can reach.
  constexpr uintptr_t near = uintptr_t{2} << 20;
  const auto stack_pointer = static_cast<uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const bool is_overflow = address - (stack_begin - near) < 2 * near || stack_pointer - (stack_begin - near) < 2 * near;
  end_helper(is_overflow ? LimitReached::stack : LimitReached::crash);
}

void install_handlers() {
  std::set_new_handler(on_memory_out);
  llvm::install_bad_alloc_error_handler(on_bad_alloc);
  llvm::install_fatal_error_handler(on_fatal_error);

  const stack_t stack{handler_stack.data(), 0, handler_stack.size()};
  ::sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = on_crash;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP}) ::sigaction(signal, &action, nullptr);
  action.sa_flags = SA_ONSTACK;
  action.sa_handler = on_cpu_limit;
  ::sigaction(SIGXCPU, &action, nullptr);
}

uintptr_t own_stack_begin() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  size_t bytes = 0;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return 0;
  ::pthread_attr_getstack(&attributes, &begin, &bytes);
  ::pthread_attr_destroy(&attributes);
  return reinterpret_cast<uintptr_t>(begin);
}

void limit_to(decltype(RLIMIT_AS) resource, rlim_t most) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  limit.rlim_cur = std::min(most, limit.rlim_max);
  ::setrlimit(resource, &limit);
}

#ifdef CWEB_SANITIZED

// A sanitizer's shadow memory is terabytes of address space, so that RLIMIT_AS cannot be used: what is allocated is
// counted instead.
size_t most_allocated_bytes = 0;

void count_allocation(const volatile void*, size_t bytes) {
  static std::atomic<unsigned> calls = 0;
  constexpr unsigned calls_between_looks = 1024;
  constexpr size_t large = size_t{1} << 20;
  if (bytes < large && calls.fetch_add(1, std::memory_order_relaxed) % calls_between_looks != 0) return;
  if (__sanitizer_get_current_allocated_bytes() > most_allocated_bytes) end_helper(LimitReached::memory);
}

void ignore_free(const volatile void*) {}

Expected<void> bound_memory(size_t more_bytes) {
  most_allocated_bytes = __sanitizer_get_current_allocated_bytes() + more_bytes;
  __sanitizer_install_malloc_and_free_hooks(count_allocation, ignore_free);
  return {};
}

#else

/// Bytes of address space in use.
Expected<size_t> address_space_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  size_t pages = 0;
  const bool was_read = file != nullptr && std::fscanf(file, "%zu", &pages) == 1;
  if (file != nullptr) std::fclose(file);
  if (!was_read) return fail("the compile helper cannot read /proc/self/statm; is /proc mounted?");
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

Expected<void> bound_memory(size_t more_bytes) {
  const Expected<size_t> idle = address_space_bytes();
  if (!idle) return std::unexpected(idle.error());
  limit_to(RLIMIT_AS, *idle + more_bytes);
  return {};
}

#endif

/// Memory, time, the socket it has, and threads: Clang goes on with a new one where it thinks a stack is used up.
constexpr std::array allowed_calls{
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(close),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit),
    SCMP_SYS(setrlimit),
    SCMP_SYS(prlimit64),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(tgkill),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
#ifdef CWEB_SANITIZED
    // How a sanitizer finds out whether memory can be read.
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
#endif
};

Expected<void> filter_calls() {
  // Refused calls fail and do not kill: a library that tries to open a file goes on without it.
  const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return fail("the compile helper has no memory for its system call filter");
  int error = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  for (int call : allowed_calls) {
    if (error == 0) error = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
  // Threads, not processes. glibc asks clone3 first, whose flags a filter cannot see.
  const scmp_arg_cmp is_thread = SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
  if (error == 0) error = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, is_thread);
  if (error == 0) error = ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (error == 0) error = ::seccomp_load(filter);
  ::seccomp_release(filter);
  if (error != 0)
    return fail(fmt::format(
        "the system refuses the compile helper's system call filter ({}); --compile-in-process works without",
        std::strerror(-error)));
  return {};
}

}  // namespace

void isolate_helper(int fd) {
  // Also in the middle of a compile. A server that ended before this line has closed the socket, which ends the helper
  // too.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_NAME, "cweb-compiler");
  if (fd > 3) ::close_range(3, static_cast<unsigned>(fd) - 1, 0);
  ::close_range(static_cast<unsigned>(fd) + 1, ~0U, 0);
  // A Ctrl-C on the terminal goes to the whole process group; the server decides when a helper ends.
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP}) ::signal(signal, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Expected<void> enter_sandbox(int fd, const CompileLimits& limits) {
  answer_fd = fd;
  stack_begin = own_stack_begin();
  install_handlers();
  if (auto bounded = bound_memory(limits.memory_bytes); !bounded) return bounded;
  limit_to(RLIMIT_CORE, 0);
#ifndef CWEB_SANITIZED
  limit_to(RLIMIT_FSIZE, 0);  // A sanitizer's report goes to the server's log, which may be a file.
  limit_to(RLIMIT_NOFILE, static_cast<rlim_t>(fd) + 1);
  // A source can make Clang print (#pragma clang __debug), and the server's log is not its place. Descriptor 1 is
  // /dev/null.
  ::dup2(STDOUT_FILENO, STDERR_FILENO);
#endif
  return filter_calls();
}

CompileBounds::CompileBounds(const CompileLimits& limits) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const rlim_t seconds = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1;
  limit_to(RLIMIT_CPU, seconds + static_cast<rlim_t>(limits.cpu.count()));
  compiling = true;
}

CompileBounds::~CompileBounds() {
  compiling = false;
}

size_t peak_memory_bytes() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<size_t>(used.ru_maxrss) << 10;
}

}  // namespace cweb::jit
