// The functions of libc that print wide characters. A module's streams take bytes only, as all that libc makes for a
// program do: what is for them is put together and converted here, to UTF-8 whatever the locale is.
#include <stdio.h>
#include <wchar.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/module_output.h"

namespace cweb::runtime {
namespace {

/// Of what one call formats, in characters.
constexpr size_t longest_wide_text = size_t{1} << 20;

/// Returns the number of bytes, at most 4.
size_t encode_utf8(char* out, wchar_t c) {
  auto code = static_cast<uint32_t>(c);
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  if (code < 0x80) return out[0] = static_cast<char>(code), 1;
  const size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; --i, code >>= 6) out[i] = static_cast<char>(0x80 | (code & 0x3F));
  out[0] = static_cast<char>((0xF00U >> length & 0xF0U) | code);
  return length;
}

void print_wide(OutputStream stream, const wchar_t* text, size_t count) {
  char bytes[1024];
  size_t length = 0;
  for (size_t i = 0; i < count; ++i) {
    length += encode_utf8(bytes + length, text[i]);
    if (length + 4 <= sizeof bytes && i + 1 < count) continue;
    print_module_output(stream, bytes, length);
    length = 0;
  }
}

/// libc does not tell how long the text would be.
int print_long_wide(OutputStream stream, const wchar_t* format, va_list arguments, size_t capacity) {
  for (; capacity <= longest_wide_text; capacity *= 4) {
    auto* const text = static_cast<wchar_t*>(module_malloc(capacity * sizeof(wchar_t)));
    if (text == nullptr) return -1;
    va_list again;
    va_copy(again, arguments);
    errno = 0;
    const int length = vswprintf(text, capacity, format, again);
    const bool is_wrong = length < 0 && errno == EILSEQ;
    va_end(again);
    if (length > 0) print_wide(stream, text, static_cast<size_t>(length));
    module_free(text);
    if (length >= 0 || is_wrong) return length;
  }
  return errno = EOVERFLOW, -1;
}

int print_wide_format(OutputStream stream, const wchar_t* format, va_list arguments) {
  wchar_t text[256];
  constexpr size_t capacity = sizeof text / sizeof *text;
  va_list again;
  va_copy(again, arguments);
  int length = vswprintf(text, capacity, format, arguments);
  if (length > 0) print_wide(stream, text, static_cast<size_t>(length));
  if (length < 0) length = print_long_wide(stream, format, again, capacity * 4);
  va_end(again);
  stop_when_overdue();
  return length;
}

int host_vfwprintf(FILE* stream, const wchar_t* format, va_list arguments) {
  const auto ours = output_stream_of(stream);
  return ours ? print_wide_format(*ours, format, arguments) : vfwprintf(stream, format, arguments);
}
int host_fwprintf(FILE* stream, const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vfwprintf(stream, format, arguments);
  va_end(arguments);
  return length;
}
int host_vfwprintf_chk(FILE* stream, int, const wchar_t* format, va_list arguments) {
  return host_vfwprintf(stream, format, arguments);
}
int host_fwprintf_chk(FILE* stream, int, const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vfwprintf(stream, format, arguments);
  va_end(arguments);
  return length;
}

int host_vwprintf(const wchar_t* format, va_list arguments) {
  return print_wide_format(OutputStream::out, format, arguments);
}
int host_wprintf(const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vwprintf(format, arguments);
  va_end(arguments);
  return length;
}
int host_vwprintf_chk(int, const wchar_t* format, va_list arguments) {
  return host_vwprintf(format, arguments);
}
int host_wprintf_chk(int, const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vwprintf(format, arguments);
  va_end(arguments);
  return length;
}

wint_t host_putwchar(wchar_t c) {
  print_wide(OutputStream::out, &c, 1);
  stop_when_overdue();
  return static_cast<wint_t>(c);
}
wint_t host_fputwc(wchar_t c, FILE* stream) {
  const auto ours = output_stream_of(stream);
  if (!ours) return fputwc(c, stream);
  print_wide(*ours, &c, 1);
  stop_when_overdue();
  return static_cast<wint_t>(c);
}
int host_fputws(const wchar_t* text, FILE* stream) {
  const auto ours = output_stream_of(stream);
  if (!ours) return fputws(text, stream);
  print_wide(*ours, text, wcslen(text));
  stop_when_overdue();
  return 1;
}

}  // namespace

std::span<const HostSymbol> wide_output_functions() {
  static const HostSymbol functions[] = {
      host_function("wprintf", host_wprintf),
      host_function("vwprintf", host_vwprintf),
      host_function("__wprintf_chk", host_wprintf_chk),
      host_function("__vwprintf_chk", host_vwprintf_chk),
      host_function("fwprintf", host_fwprintf),
      host_function("vfwprintf", host_vfwprintf),
      host_function("__fwprintf_chk", host_fwprintf_chk),
      host_function("__vfwprintf_chk", host_vfwprintf_chk),
      host_function("putwchar", host_putwchar),
      host_function("putwchar_unlocked", host_putwchar),
      host_function("putwc", host_fputwc),
      host_function("putwc_unlocked", host_fputwc),
      host_function("fputwc", host_fputwc),
      host_function("fputwc_unlocked", host_fputwc),
      host_function("fputws", host_fputws),
      host_function("fputws_unlocked", host_fputws),
  };
  return functions;
}

}  // namespace cweb::runtime
