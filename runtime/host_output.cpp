// The functions of libc that print to standard output and standard error by themselves, without a FILE in their hands.
// What modules print is theirs, line by line (module_output), and never waits for a terminal.
#include <signal.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstring>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/module_output.h"

namespace cweb::runtime {

/// With a look at the deadline now and then: a text may have millions of lines.
void print_module_output(OutputStream stream, const char* bytes, size_t count) {
  constexpr size_t piece_bytes = 4096;
  for (; count > piece_bytes; bytes += piece_bytes, count -= piece_bytes) {
    print_output(stream, bytes, piece_bytes);
    stop_when_overdue();
  }
  print_output(stream, bytes, count);
}

/// The text is put together before anything is held: what the module gave may be no text.
int module_vprint(OutputStream stream, const char* format, va_list arguments) {
  char text[1024];
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(text, sizeof text, format, arguments);
  if (length >= static_cast<int>(sizeof text)) {
    auto* const longer = static_cast<char*>(module_malloc(static_cast<size_t>(length) + 1));
    if (longer != nullptr) {
      length = vsnprintf(longer, static_cast<size_t>(length) + 1, format, again);
      // It is the module's own: when the call ends here, it is lost as what the module allocates is.
      if (length > 0) print_module_output(stream, longer, static_cast<size_t>(length));
      module_free(longer);
    } else {
      length = -1;
    }
  } else if (length > 0) {
    print_output(stream, text, static_cast<size_t>(length));
  }
  va_end(again);
  // A loop that does nothing but print is hardly ever met in the module's own code.
  stop_when_overdue();
  return length;
}

ssize_t module_write(int fd, const void* bytes, size_t count) {
  if (fd != STDOUT_FILENO && fd != STDERR_FILENO) return write(fd, bytes, count);
  count = std::min(count, most_written_bytes);
  print_module_output(fd == STDOUT_FILENO ? OutputStream::out : OutputStream::error, static_cast<const char*>(bytes),
                      count);
  stop_when_overdue();
  return static_cast<ssize_t>(count);
}

namespace {

__attribute__((format(printf, 2, 3))) void print(OutputStream stream, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  module_vprint(stream, format, arguments);
  va_end(arguments);
}

// ---- printf and its like; the names in __..._chk are what a fortified module calls

int host_vprintf(const char* format, va_list arguments) {
  return module_vprint(OutputStream::out, format, arguments);
}
int host_printf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vprintf(format, arguments);
  va_end(arguments);
  return length;
}
int host_vprintf_chk(int, const char* format, va_list arguments) {
  return host_vprintf(format, arguments);
}
int host_printf_chk(int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vprintf(format, arguments);
  va_end(arguments);
  return length;
}

int host_vdprintf(int fd, const char* format, va_list arguments) {
  if (fd != STDOUT_FILENO && fd != STDERR_FILENO) return vdprintf(fd, format, arguments);
  return module_vprint(fd == STDOUT_FILENO ? OutputStream::out : OutputStream::error, format, arguments);
}
int host_dprintf(int fd, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vdprintf(fd, format, arguments);
  va_end(arguments);
  return length;
}
int host_vdprintf_chk(int fd, int, const char* format, va_list arguments) {
  return host_vdprintf(fd, format, arguments);
}
int host_dprintf_chk(int fd, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vdprintf(fd, format, arguments);
  va_end(arguments);
  return length;
}

// ---- without a format

int host_puts(const char* text) {
  print_module_output(OutputStream::out, text, strlen(text));
  print_output(OutputStream::out, "\n", 1);
  stop_when_overdue();
  return 1;
}

int host_putchar(int c) {
  const auto byte = static_cast<unsigned char>(c);
  const char text = static_cast<char>(byte);
  print_output(OutputStream::out, &text, 1);
  stop_when_overdue();
  return byte;
}

ssize_t host_writev(int fd, const iovec* pieces, int count) {
  if (fd != STDOUT_FILENO && fd != STDERR_FILENO) return writev(fd, pieces, count);
  if (count < 0 || count > IOV_MAX) return errno = EINVAL, -1;
  ssize_t written = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t taken = module_write(fd, pieces[i].iov_base, pieces[i].iov_len);
    written += taken;
    if (static_cast<size_t>(taken) < pieces[i].iov_len) break;
  }
  return written;
}

// ---- messages

void host_perror(const char* prefix) {
  char buffer[128];
  const char* const meaning = strerror_r(errno, buffer, sizeof buffer);
  const bool has_prefix = prefix != nullptr && *prefix != 0;
  print(OutputStream::error, "%s%s%s\n", has_prefix ? prefix : "", has_prefix ? ": " : "", meaning);
}

void host_psignal(int signal_number, const char* prefix) {
  const bool has_prefix = prefix != nullptr && *prefix != 0;
  const char* const meaning = sigdescr_np(signal_number);
  print(OutputStream::error, "%s%s%s\n", has_prefix ? prefix : "", has_prefix ? ": " : "",
        meaning == nullptr ? "Unknown signal" : meaning);
}
void host_psiginfo(const siginfo_t* info, const char* prefix) {
  host_psignal(info->si_signo, prefix);
}

void host_vwarnx(const char* format, va_list arguments) {
  if (format != nullptr) module_vprint(OutputStream::error, format, arguments);
  print_output(OutputStream::error, "\n", 1);
}
void host_vwarn(const char* format, va_list arguments) {
  const int error = errno;
  if (format != nullptr) module_vprint(OutputStream::error, format, arguments);
  char buffer[128];
  print(OutputStream::error, "%s%s\n", format == nullptr ? "" : ": ", strerror_r(error, buffer, sizeof buffer));
}
void host_warnx(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  host_vwarnx(format, arguments);
  va_end(arguments);
}
void host_warn(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  host_vwarn(format, arguments);
  va_end(arguments);
}

// ---- what `stdout` and `stderr` stand for: the compiler calls these where a function uses the names

FILE** host_stdout() {
  stop_when_overdue();
  return output_file(OutputStream::out);
}
FILE** host_stderr() {
  stop_when_overdue();
  return output_file(OutputStream::error);
}

// ---- how a stream is buffered: those of modules never are, so that a fault loses nothing

int host_setvbuf(FILE* stream, char* buffer, int mode, size_t size) {
  return is_output_file(stream) ? 0 : setvbuf(stream, buffer, mode, size);
}
void host_setbuffer(FILE* stream, char* buffer, size_t size) {
  if (!is_output_file(stream)) setbuffer(stream, buffer, size);
}
void host_setbuf(FILE* stream, char* buffer) {
  host_setbuffer(stream, buffer, BUFSIZ);
}
void host_setlinebuf(FILE* stream) {
  if (!is_output_file(stream)) setlinebuf(stream);
}

}  // namespace

std::span<const HostSymbol> output_functions() {
  static const HostSymbol functions[] = {
      host_function("printf", host_printf),
      host_function("vprintf", host_vprintf),
      host_function("__printf_chk", host_printf_chk),
      host_function("__vprintf_chk", host_vprintf_chk),
      host_function("dprintf", host_dprintf),
      host_function("vdprintf", host_vdprintf),
      host_function("__dprintf_chk", host_dprintf_chk),
      host_function("__vdprintf_chk", host_vdprintf_chk),
      host_function("puts", host_puts),
      host_function("putchar", host_putchar),
      host_function("putchar_unlocked", host_putchar),
      host_function("write", module_write),
      host_function("__write", module_write),
      host_function("writev", host_writev),
      host_function("perror", host_perror),
      host_function("psignal", host_psignal),
      host_function("psiginfo", host_psiginfo),
      host_function("warn", host_warn),
      host_function("warnx", host_warnx),
      host_function("vwarn", host_vwarn),
      host_function("vwarnx", host_vwarnx),
      host_function("setvbuf", host_setvbuf),
      host_function("setbuffer", host_setbuffer),
      host_function("setbuf", host_setbuf),
      host_function("setlinebuf", host_setlinebuf),
      host_function("__cweb_stdout", host_stdout),
      host_function("__cweb_stderr", host_stderr),
      // Where the name stands in a constant: a pointer that is initialised with its address.
      {"stdout", shared_output_file(OutputStream::out)},
      {"stderr", shared_output_file(OutputStream::error)},
  };
  return functions;
}

}  // namespace cweb::runtime
