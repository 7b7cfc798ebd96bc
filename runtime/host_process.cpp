// What in libc acts on the whole process, as modules get it: ending it ends the call, and how signals are handled is
// not theirs to say.
#include <error.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "runtime/host_functions.h"
#include "runtime/module_output.h"
#include "runtime/module_stop.h"

namespace cweb::runtime {
namespace {

// ---- ending the process ends the call

[[noreturn]] void stop(const char* format, ...) __attribute__((format(printf, 1, 2)));
void stop(const char* format, ...) {
  char reason[200];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  stop_module_call(reason);
}

void host_exit(int status) {
  stop("the module called exit(%d)", status);
}
void host_quick_exit(int status) {
  stop("the module called _exit(%d) or quick_exit(%d)", status, status);
}
void host_abort() {
  stop("the module called abort()");
}

void host_assert_fail(const char* assertion, const char* file, unsigned line, const char* function) {
  stop("%s:%u: %s: assertion `%s' failed", file, line, function ? function : "?", assertion);
}
void host_assert_perror_fail(int error, const char* file, unsigned line, const char* function) {
  stop("%s:%u: %s: unexpected error: %s", file, line, function ? function : "?", strerrordesc_np(error));
}

/// The message of err, error and their like, on the module's standard error.
void print_message(const char* format, va_list arguments, int error, const char* place = "") {
  char text[512];
  text[0] = 0;
  if (format != nullptr) std::vsnprintf(text, sizeof text, format, arguments);
  const char* const meaning = error == 0 ? nullptr : strerrordesc_np(error);
  const bool told = meaning != nullptr;
  char line[900];
  const int length = std::snprintf(line, sizeof line, "%s%s%s%s\n", place, text, told && text[0] != 0 ? ": " : "",
                                   told ? meaning : "");
  print_output(OutputStream::error, line, static_cast<size_t>(length));
}

void host_verr(int status, const char* format, va_list arguments) {
  print_message(format, arguments, errno);
  stop("the module called err(%d)", status);
}
void host_verrx(int status, const char* format, va_list arguments) {
  print_message(format, arguments, 0);
  stop("the module called errx(%d)", status);
}
void host_err(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_message(format, arguments, errno);
  va_end(arguments);
  stop("the module called err(%d)", status);
}
void host_errx(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_message(format, arguments, 0);
  va_end(arguments);
  stop("the module called errx(%d)", status);
}
void host_error(int status, int error, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_message(format, arguments, error);
  va_end(arguments);
  if (status != 0) stop("the module called error(%d)", status);
}
void host_error_at_line(int status, int error, const char* file, unsigned line, const char* format, ...) {
  char place[256];
  std::snprintf(place, sizeof place, "%s:%u: ", file, line);
  va_list arguments;
  va_start(arguments, format);
  print_message(format, arguments, error, place);
  va_end(arguments);
  if (status != 0) stop("the module called error_at_line(%d)", status);
}

/// A module ends long before the process: its `unload` is the place for what should run then.
int host_atexit() {
  return errno = ENOTSUP, -1;
}

// ---- signals belong to the server

using Handler = void (*)(int);

Handler host_signal(int signal_number, Handler handler) {
  // The server ignores SIGPIPE anyway.
  if (signal_number == SIGPIPE && handler == SIG_IGN) return SIG_IGN;
  errno = EPERM;
  return SIG_ERR;
}

int host_sigaction(int signal_number, const struct sigaction* action, struct sigaction* old) {
  if (action == nullptr) return sigaction(signal_number, nullptr, old);
  if (signal_number == SIGPIPE && action->sa_handler == SIG_IGN) return sigaction(signal_number, nullptr, old);
  return errno = EPERM, -1;
}

int host_sigaltstack(const stack_t* stack, stack_t* old) {
  if (stack != nullptr) return errno = EPERM, -1;
  return sigaltstack(nullptr, old);
}

/// Accepted, and changes nothing: what a thread may receive is for the server to say.
int host_sigprocmask(int, const sigset_t*, sigset_t* old) {
  return sigprocmask(SIG_BLOCK, nullptr, old);
}
int host_pthread_sigmask(int, const sigset_t*, sigset_t* old) {
  return pthread_sigmask(SIG_BLOCK, nullptr, old);
}

// SIGALRM would end the process.
unsigned host_alarm(unsigned) {
  return 0;
}
useconds_t host_ualarm(useconds_t, useconds_t) {
  return errno = ENOTSUP, 0;
}
int host_setitimer(int, const itimerval*, itimerval*) {
  return errno = ENOTSUP, -1;
}
int host_timer_create(clockid_t, sigevent*, timer_t*) {
  return errno = ENOTSUP, -1;
}

// ---- processes: a copy of the server, with its sockets and none of its threads, is of no use to anybody

pid_t host_fork() {
  return errno = ENOTSUP, -1;
}
int host_exec() {
  return errno = ENOTSUP, -1;
}

}  // namespace

std::span<const HostSymbol> process_functions() {
  static const HostSymbol functions[] = {
      host_function("exit", host_exit),
      host_function("_exit", host_quick_exit),
      host_function("_Exit", host_quick_exit),
      host_function("quick_exit", host_quick_exit),
      host_function("abort", host_abort),
      host_function("__assert_fail", host_assert_fail),
      host_function("__assert_perror_fail", host_assert_perror_fail),
      host_function("err", host_err),
      host_function("errx", host_errx),
      host_function("verr", host_verr),
      host_function("verrx", host_verrx),
      host_function("error", host_error),
      host_function("error_at_line", host_error_at_line),
      host_function("atexit", host_atexit),
      host_function("at_quick_exit", host_atexit),
      host_function("on_exit", host_atexit),
      host_function("__cxa_atexit", host_atexit),
      host_function("__cxa_at_quick_exit", host_atexit),
      host_function("pthread_atfork", host_atexit),
      host_function("__register_atfork", host_atexit),
      host_function("signal", host_signal),
      host_function("bsd_signal", host_signal),
      host_function("sysv_signal", host_signal),
      host_function("__sysv_signal", host_signal),
      host_function("sigset", host_signal),
      host_function("sigaction", host_sigaction),
      host_function("sigaltstack", host_sigaltstack),
      host_function("sigprocmask", host_sigprocmask),
      host_function("pthread_sigmask", host_pthread_sigmask),
      host_function("alarm", host_alarm),
      host_function("ualarm", host_ualarm),
      host_function("setitimer", host_setitimer),
      host_function("timer_create", host_timer_create),
      host_function("fork", host_fork),
      host_function("vfork", host_fork),
      host_function("_Fork", host_fork),
      host_function("daemon", host_exec),
      host_function("execl", host_exec),
      host_function("execle", host_exec),
      host_function("execlp", host_exec),
      host_function("execv", host_exec),
      host_function("execve", host_exec),
      host_function("execvp", host_exec),
      host_function("execvpe", host_exec),
      host_function("execveat", host_exec),
      host_function("fexecve", host_exec),
  };
  return functions;
}

}  // namespace cweb::runtime
