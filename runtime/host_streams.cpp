// The stdio functions that return memory which the module frees, and those that open, close or change a stream of a
// descriptor, which must not be the server's.
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "base/unique_fd.h"
#include "runtime/host_functions.h"
#include "runtime/module_output.h"

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
  if (file != nullptr) return file;
  module_free(*text);
  module_free(stream);
  return nullptr;
}

FILE* host_fdopen(int fd, const char* mode) {
  // What the module has there already: it is never closed, so it may be opened as often as one likes.
  if (fd == STDOUT_FILENO) return known_output_file(OutputStream::out);
  if (fd == STDERR_FILENO) return known_output_file(OutputStream::error);
  if (is_server_descriptor(fd)) return errno = EBADF, nullptr;
  return fdopen(fd, mode);
}

DIR* host_fdopendir(int fd) {
  if (is_server_descriptor(fd)) return errno = EBADF, nullptr;
  return fdopendir(fd);
}

int host_fclose(FILE* stream) {
  if (is_server_stream(stream)) return fflush(stream);
  return fclose(stream);
}

FILE* host_freopen(const char* path, const char* mode, FILE* stream) {
  if (is_server_stream(stream)) return errno = EPERM, nullptr;
  return freopen(path, mode, stream);
}

int host_pclose(FILE* stream) {
  if (is_server_stream(stream)) return errno = ECHILD, -1;
  return pclose(stream);
}

int host_endmntent(FILE* stream) {
  if (stream != nullptr) static_cast<void>(host_fclose(stream));
  return 1;
}

}  // namespace

bool is_server_stream(const FILE* stream) {
  if (is_server_descriptor(stream->_fileno)) return true;
  return stream == stdin || stream == stdout || stream == stderr || is_output_file(stream);
}

std::span<const HostSymbol> stream_functions() {
  static const HostSymbol functions[] = {
      host_function("asprintf", host_asprintf),
      host_function("__asprintf", host_asprintf),
      host_function("vasprintf", host_vasprintf),
      host_function("getline", host_getline),
      host_function("getdelim", host_getdelim),
      host_function("__getdelim", host_getdelim),
      host_function("open_memstream", host_open_memstream),
      host_function("fdopen", host_fdopen),
      host_function("_IO_fdopen", host_fdopen),
      host_function("fdopendir", host_fdopendir),
      host_function("fclose", host_fclose),
      host_function("_IO_fclose", host_fclose),
      host_function("pclose", host_pclose),
      host_function("endmntent", host_endmntent),
      host_function("__endmntent", host_endmntent),
      host_function("freopen", host_freopen),
      host_function("freopen64", host_freopen),
  };
  return functions;
}

}  // namespace cweb::runtime
