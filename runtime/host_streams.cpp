// The stdio functions that return memory which the module frees, or a stream that writes to it.
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "runtime/host_functions.h"
#include "runtime/host_open_streams.h"

namespace cweb::runtime {
namespace {

int host_vasprintf(char** text, const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length < 0) return -1;
  auto* made = static_cast<char*>(module_malloc(static_cast<size_t>(length) + 1));
  if (made == nullptr) return -1;
  *text = made;
  return vsnprintf(made, static_cast<size_t>(length) + 1, format, arguments);
}

__attribute__((format(printf, 2, 3))) int host_asprintf(char** text, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = host_vasprintf(text, format, arguments);
  va_end(arguments);
  return length;
}

bool make_room(char** line, size_t* capacity, size_t wanted) {
  if (*line != nullptr && *capacity >= wanted) return true;
  const size_t larger = std::max({wanted, *line == nullptr ? size_t{0} : *capacity * 2, size_t{120}});
  auto* moved = static_cast<char*>(module_realloc(*line, larger));
  if (moved == nullptr) return false;
  *line = moved;
  *capacity = larger;
  return true;
}

ssize_t host_getdelim(char** line, size_t* capacity, int delimiter, FILE* stream) {
  if (line == nullptr || capacity == nullptr) return errno = EINVAL, -1;
  if (*line == nullptr) *capacity = 0;
  size_t length = 0;
  for (;;) {
    const int c = fgetc(stream);
    if (c == EOF && (length == 0 || ferror(stream) != 0)) return -1;
    if (c == EOF) break;
    if (!make_room(line, capacity, length + 2)) return -1;
    (*line)[length++] = static_cast<char>(c);
    if (c == delimiter) break;
  }
  (*line)[length] = 0;
  return static_cast<ssize_t>(length);
}

ssize_t host_getline(char** line, size_t* capacity, FILE* stream) {
  return host_getdelim(line, capacity, '\n', stream);
}

/// A stream that writes into a growing block of the module's heap.
struct MemoryStream {
  char** text;
  size_t* size;
  size_t capacity;
  size_t length;
  size_t position;
};

/// Room for `length` bytes and the NUL behind them; what is new is zero.
bool grow(MemoryStream& stream, size_t length) {
  if (length >= stream.capacity) {
    const size_t capacity = std::max(length + 1, stream.capacity * 2);
    auto* moved = static_cast<char*>(module_realloc(*stream.text, capacity));
    if (moved == nullptr) return false;
    *stream.text = moved;
    stream.capacity = capacity;
  }
  if (length > stream.length) {
    std::memset(*stream.text + stream.length, 0, length + 1 - stream.length);
    stream.length = length;
  }
  *stream.size = stream.length;
  return true;
}

ssize_t write_memory(void* cookie, const char* bytes, size_t count) {
  auto& stream = *static_cast<MemoryStream*>(cookie);
  if (!grow(stream, std::max(stream.length, stream.position + count))) return 0;
  std::memcpy(*stream.text + stream.position, bytes, count);
  stream.position += count;
  return static_cast<ssize_t>(count);
}

int seek_memory(void* cookie, off64_t* offset, int whence) {
  auto& stream = *static_cast<MemoryStream*>(cookie);
  const auto from = whence == SEEK_SET ? 0 : static_cast<off64_t>(whence == SEEK_CUR ? stream.position : stream.length);
  if (from + *offset < 0) return -1;
  *offset += from;
  stream.position = static_cast<size_t>(*offset);
  return 0;
}

int close_memory(void* cookie) {
  module_free(cookie);
  return 0;
}

/// One that is left open has nothing to write when the module is gone, by fflush(NULL) or at the end of the process.
FILE* unbuffered(FILE* file) {
  setvbuf(file, nullptr, _IONBF, 0);
  return file;
}

FILE* host_fmemopen(void* memory, size_t size, const char* mode) {
  FILE* const file = open_streams().add(fmemopen(memory, size, mode));
  const bool only_reads = mode[0] == 'r' && std::strchr(mode, '+') == nullptr;
  return file == nullptr || only_reads ? file : unbuffered(file);
}

FILE* host_open_memstream(char** text, size_t* size) {
  auto* stream = static_cast<MemoryStream*>(module_malloc(sizeof(MemoryStream)));
  if (stream == nullptr) return nullptr;
  *stream = {.text = text, .size = size, .capacity = 1024, .length = 0, .position = 0};
  *text = static_cast<char*>(module_malloc(stream->capacity));
  FILE* file = nullptr;
  if (*text != nullptr) {
    **text = 0;
    *size = 0;
    file =
        fopencookie(stream, "w", {.read = nullptr, .write = write_memory, .seek = seek_memory, .close = close_memory});
  }
  if (file != nullptr) return unbuffered(open_streams().add(file));
  module_free(*text);
  module_free(stream);
  return nullptr;
}

}  // namespace

std::span<const HostSymbol> stream_functions() {
  static const HostSymbol functions[] = {
      host_function("asprintf", host_asprintf),
      host_function("__asprintf", host_asprintf),
      host_function("vasprintf", host_vasprintf),
      host_function("getline", host_getline),
      host_function("getdelim", host_getdelim),
      host_function("__getdelim", host_getdelim),
      host_function("open_memstream", host_open_memstream),
      host_function("fmemopen", host_fmemopen),
  };
  return functions;
}

}  // namespace cweb::runtime
