// What a module may ask of the kernel for the process that it shares: signals that it sends to the server end its call,
// the server's descriptors are not there, and syscall() leads to the same as the functions that have names.
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"
#include "runtime/host_functions.h"
#include "runtime/module_stop.h"

namespace cweb::runtime {
namespace {

// ---- signals that are sent

int host_raise(int signal_number) {
  char reason[200];
  const char* const meaning = sigdescr_np(signal_number);
  std::snprintf(reason, sizeof reason, "the module raised signal %d (%s)", signal_number,
                meaning == nullptr ? "no such signal" : meaning);
  stop_module_call(reason);
}

bool ends_server(pid_t process, int signal_number) {
  return process == getpid() && (signal_number == SIGTERM || signal_number == SIGINT);
}
/// 0, -1 and the group are ways to name the server too.
bool is_server(pid_t process) {
  return process == getpid() || process <= 0 || process == getppid();
}

int host_kill(pid_t process, int signal_number) {
  // To end the server is what was asked for.
  if (ends_server(process, signal_number)) return kill(process, signal_number);
  if (signal_number != 0 && is_server(process)) host_raise(signal_number);
  return kill(process, signal_number);
}
int host_sigqueue(pid_t process, int signal_number, sigval value) {
  if (signal_number != 0 && is_server(process)) return host_kill(process, signal_number);
  return sigqueue(process, signal_number, value);
}
/// To the whole process: its threads have SIGTERM blocked, and main waits for it.
int host_tgkill(pid_t process, pid_t thread, int signal_number) {
  if (signal_number != 0 && is_server(process)) return host_kill(process, signal_number);
  return tgkill(process, thread, signal_number);
}
int host_pthread_kill(pthread_t thread, int signal_number) {
  // To its own thread it is raise().
  if (signal_number != 0 && pthread_equal(thread, pthread_self()) != 0) host_raise(signal_number);
  if (signal_number != 0) return EPERM;
  return pthread_kill(thread, 0);
}
int host_pthread_sigqueue(pthread_t thread, int signal_number, sigval) {
  return host_pthread_kill(thread, signal_number);
}

// ---- the server's descriptors

int host_close(int fd) {
  if (is_server_descriptor(fd)) return errno = EBADF, -1;
  return close(fd);
}
/// A queue is a descriptor.
int host_mq_close(mqd_t queue) {
  return host_close(queue);
}
int host_dup2(int from, int to) {
  if (is_server_descriptor(to)) return errno = EBADF, -1;
  return dup2(from, to);
}
int host_dup3(int from, int to, int flags) {
  if (is_server_descriptor(to)) return errno = EBADF, -1;
  return dup3(from, to, flags);
}
int host_close_range(unsigned, unsigned, int) {
  return errno = EPERM, -1;
}
void host_closefrom(int) {}
int host_shutdown(int fd, int how) {
  if (is_server_descriptor(fd)) return errno = EBADF, -1;
  return shutdown(fd, how);
}

int control_descriptor(int fd, int command, long argument) {
  // A loop would hang on a socket that blocks.
  if (is_server_descriptor(fd)) return errno = EBADF, -1;
  switch (command) {
    // They have the kernel send signals, of which most end the process.
    case F_SETOWN:
    case F_SETOWN_EX:
    case F_SETSIG:
    case F_SETLEASE:
    case F_NOTIFY:
      return errno = EPERM, -1;
    default:
      return fcntl(fd, command, argument);
  }
}
int host_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return control_descriptor(fd, command, argument);
}

// ---- by number

/// What no function that modules have would do either: it acts on the process or on a thread of the server's, or what
/// libc has set up for itself.
constexpr std::array refused_calls{
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_signalfd,
    SYS_signalfd4,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_alarm,
    SYS_setitimer,
    SYS_timer_create,
    SYS_mq_notify,
    SYS_close_range,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_arch_prctl,
    SYS_modify_ldt,
    SYS_set_thread_area,
    SYS_iopl,
    SYS_ioperm,
    SYS_brk,
    SYS_prctl,
    SYS_seccomp,
    SYS_personality,
    SYS_ptrace,
    SYS_unshare,
    SYS_setns,
    SYS_chroot,
    SYS_pivot_root,
    SYS_reboot,
    SYS_acct,
    SYS_swapoff,
    SYS_capset,
    SYS_setsid,
    SYS_setpgid,
    SYS_setrlimit,
    SYS_prlimit64,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_landlock_restrict_self,
};

[[noreturn]] void end_call(int status) {
  char reason[100];
  std::snprintf(reason, sizeof reason, "the module called syscall() to exit(%d)", status);
  stop_module_call(reason);
}

long host_syscall(long number, ...) {
  std::array<long, 6> values;
  va_list arguments;
  va_start(arguments, number);
  for (long& value : values) value = va_arg(arguments, long);
  va_end(arguments);
  const auto [a, b, c, d, e, f] = values;
  const auto number_of = [](long value) { return static_cast<int>(value); };
  switch (number) {
    case SYS_exit:
    case SYS_exit_group:
      end_call(number_of(a));
    case SYS_kill:
      return host_kill(number_of(a), number_of(b));
    case SYS_tkill:
      return host_tgkill(getpid(), number_of(a), number_of(b));
    case SYS_tgkill:
      return host_tgkill(number_of(a), number_of(b), number_of(c));
    case SYS_write:
      return module_write(number_of(a), reinterpret_cast<const void*>(b), static_cast<size_t>(c));
    case SYS_close:
      return host_close(number_of(a));
    case SYS_dup2:
      return host_dup2(number_of(a), number_of(b));
    case SYS_dup3:
      return host_dup3(number_of(a), number_of(b), number_of(c));
    case SYS_shutdown:
      return host_shutdown(number_of(a), number_of(b));
    case SYS_fcntl:
      return control_descriptor(number_of(a), number_of(b), c);
    case SYS_fork:
    case SYS_vfork:
    case SYS_clone:
    case SYS_clone3:
    case SYS_execve:
    case SYS_execveat:
      return errno = ENOTSUP, -1;
    default:
      break;
  }
  if (std::find(refused_calls.begin(), refused_calls.end(), number) != refused_calls.end()) return errno = EPERM, -1;
  return syscall(number, a, b, c, d, e, f);
}

// ---- functions whose last step is exit()

/// A context without a successor ends the process when its function returns.
void host_makecontext(ucontext_t* context, void (*function)(), int count, ...) {
  std::array<long, 16> values{};
  if (context->uc_link == nullptr)
    stop_module_call("makecontext() needs uc_link: without it exit() follows the function");
  if (count < 0 || static_cast<size_t>(count) > values.size())
    stop_module_call("makecontext() was given too many arguments");
  va_list arguments;
  va_start(arguments, count);
  for (int i = 0; i < count; ++i) values[static_cast<size_t>(i)] = va_arg(arguments, long);
  va_end(arguments);
  const auto& v = values;
  // It takes as many of them as it is told.
  makecontext(context, function, count, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12],
              v[13], v[14], v[15]);
}

}  // namespace

std::span<const HostSymbol> system_call_functions() {
  static const HostSymbol functions[] = {
      host_function("raise", host_raise),
      host_function("gsignal", host_raise),
      host_function("kill", host_kill),
      host_function("killpg", host_kill),
      host_function("sigqueue", host_sigqueue),
      host_function("tgkill", host_tgkill),
      host_function("pthread_kill", host_pthread_kill),
      host_function("pthread_sigqueue", host_pthread_sigqueue),
      host_function("close", host_close),
      host_function("mq_close", host_mq_close),
      host_function("dup2", host_dup2),
      host_function("dup3", host_dup3),
      host_function("close_range", host_close_range),
      host_function("closefrom", host_closefrom),
      host_function("shutdown", host_shutdown),
      host_function("fcntl", host_fcntl),
      host_function("fcntl64", host_fcntl),
      host_function("syscall", host_syscall),
      host_function("makecontext", host_makecontext),
  };
  return functions;
}

}  // namespace cweb::runtime
