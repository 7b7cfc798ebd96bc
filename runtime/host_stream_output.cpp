// The functions of libc that print to a stream. To one of the module's own they print as printf does, so that a loop of
// them ends with its deadline and no lock is left behind; other streams are libc's business.
#include <stdio.h>

#include <cstdarg>
#include <cstring>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/module_output.h"

namespace cweb::runtime {
namespace {

int host_vfprintf(FILE* stream, const char* format, va_list arguments) {
  const auto ours = output_stream_of(stream);
  return ours ? module_vprint(*ours, format, arguments) : vfprintf(stream, format, arguments);
}
int host_fprintf(FILE* stream, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vfprintf(stream, format, arguments);
  va_end(arguments);
  return length;
}
int host_vfprintf_chk(FILE* stream, int, const char* format, va_list arguments) {
  return host_vfprintf(stream, format, arguments);
}
int host_fprintf_chk(FILE* stream, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vfprintf(stream, format, arguments);
  va_end(arguments);
  return length;
}

int host_fputs(const char* text, FILE* stream) {
  const auto ours = output_stream_of(stream);
  if (!ours) return fputs(text, stream);
  print_module_output(*ours, text, strlen(text));
  stop_when_overdue();
  return 1;
}

size_t host_fwrite(const void* bytes, size_t size, size_t count, FILE* stream) {
  const auto ours = output_stream_of(stream);
  size_t all = 0;
  if (!ours || __builtin_mul_overflow(size, count, &all)) return fwrite(bytes, size, count, stream);
  print_module_output(*ours, static_cast<const char*>(bytes), all);
  stop_when_overdue();
  return size == 0 ? 0 : count;
}

int host_fputc(int c, FILE* stream) {
  const auto ours = output_stream_of(stream);
  if (!ours) return fputc(c, stream);
  const auto byte = static_cast<unsigned char>(c);
  const char text = static_cast<char>(byte);
  print_output(*ours, &text, 1);
  stop_when_overdue();
  return byte;
}

}  // namespace

std::span<const HostSymbol> stream_output_functions() {
  static const HostSymbol functions[] = {
      host_function("fprintf", host_fprintf),
      host_function("vfprintf", host_vfprintf),
      host_function("__fprintf_chk", host_fprintf_chk),
      host_function("__vfprintf_chk", host_vfprintf_chk),
      host_function("fputs", host_fputs),
      host_function("fputs_unlocked", host_fputs),
      host_function("fwrite", host_fwrite),
      host_function("fwrite_unlocked", host_fwrite),
      host_function("fputc", host_fputc),
      host_function("fputc_unlocked", host_fputc),
      host_function("putc", host_fputc),
      host_function("putc_unlocked", host_fputc),
      host_function("_IO_putc", host_fputc),
  };
  return functions;
}

}  // namespace cweb::runtime
