// What modules open and close in libc: streams, directories, lists of addresses. Each is closed once, and none takes a
// descriptor of the server's with it.
#include "runtime/host_open_streams.h"

#include <dirent.h>
#include <dlfcn.h>
#include <mntent.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "runtime/host_functions.h"
#include "runtime/module_output.h"
#include "runtime/module_stop.h"

// The lock of glibc's list of all streams: exported, as the list is, and in no header.
extern "C" {
void _IO_list_lock();    // NOLINT(bugprone-reserved-identifier)
void _IO_list_unlock();  // NOLINT(bugprone-reserved-identifier)
}

namespace cweb::runtime {

// Never destroyed: modules' threads end after main does.
LiveSet<FILE*>& open_streams() {
  static auto* const streams = new LiveSet<FILE*>();
  return *streams;
}

namespace {

LiveSet<DIR*>& open_directories() {
  static auto* const directories = new LiveSet<DIR*>();
  return *directories;
}
LiveSet<addrinfo*>& addresses() {
  static auto* const addresses = new LiveSet<addrinfo*>();
  return *addresses;
}

bool is_standard_stream(const FILE* stream) {
  return stream == stdin || stream == stdout || stream == stderr || is_output_file(stream);
}

/// Looked up, because a program that names it has a copy.
FILE* const* const all_streams = static_cast<FILE* const*>(dlsym(RTLD_DEFAULT, "_IO_list_all"));

/// A library that the server was started with (--link) has opened it, and left it to the module.
bool is_stream_of_library(const FILE* stream) {
  const HostSection section;
  _IO_list_lock();
  const FILE* open = *all_streams;
  while (open != nullptr && open != stream) open = open->_chain;
  _IO_list_unlock();
  return open != nullptr;
}

/// False: it is a standard stream, which stays open. The call ends when it is no open stream.
bool take_stream(FILE* stream, const char* sentence) {
  if (!open_streams().take(stream)) {
    if (is_standard_stream(stream)) return false;
    if (!is_stream_of_library(stream)) stop_module_call(sentence);
  }
  // The module has closed its descriptor behind its back, and the server has the number now.
  if (is_server_descriptor(stream->_fileno)) stream->_fileno = -1;
  return true;
}

// ---- streams

FILE* host_fopen(const char* path, const char* mode) {
  return open_streams().add(fopen(path, mode));
}
FILE* host_tmpfile() {
  return open_streams().add(tmpfile());
}
FILE* host_popen(const char* command, const char* type) {
  return open_streams().add(popen(command, type));
}
FILE* host_setmntent(const char* path, const char* mode) {
  return open_streams().add(setmntent(path, mode));
}

FILE* host_fdopen(int fd, const char* mode) {
  // What the module has there already: it is never closed, so it may be opened as often as one likes.
  if (fd == STDOUT_FILENO) return known_output_file(OutputStream::out);
  if (fd == STDERR_FILENO) return known_output_file(OutputStream::error);
  if (is_server_descriptor(fd)) return errno = EBADF, nullptr;
  return open_streams().add(fdopen(fd, mode));
}

int host_fclose(FILE* stream) {
  return take_stream(stream, "fclose() was given a stream that is not open") ? fclose(stream) : fflush(stream);
}

int host_pclose(FILE* stream) {
  if (!take_stream(stream, "pclose() was given a stream that is not open")) return errno = ECHILD, -1;
  return pclose(stream);
}

int host_endmntent(FILE* stream) {
  if (stream != nullptr && take_stream(stream, "endmntent() was given a stream that is not open")) endmntent(stream);
  return 1;
}

FILE* host_freopen(const char* path, const char* mode, FILE* stream) {
  if (!take_stream(stream, "freopen() was given a stream that is not open")) return errno = EPERM, nullptr;
  // Also when it fails, the stream is still to be closed.
  open_streams().add(stream);
  return freopen(path, mode, stream);
}

// ---- directories

DIR* host_opendir(const char* path) {
  return open_directories().add(opendir(path));
}

DIR* host_fdopendir(int fd) {
  if (is_server_descriptor(fd)) return errno = EBADF, nullptr;
  return open_directories().add(fdopendir(fd));
}

int host_closedir(DIR* directory) {
  if (!open_directories().take(directory)) stop_module_call("closedir() was given a directory that is not open");
  // As a stream's; there the rest of it is lost.
  if (is_server_descriptor(dirfd(directory))) return errno = EBADF, -1;
  return closedir(directory);
}

// ---- lists of addresses

int host_getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** list) {
  addrinfo* made = nullptr;
  const int error = getaddrinfo(node, service, hints, &made);
  if (error != 0) return error;
  for (addrinfo* each = made; each != nullptr; each = each->ai_next) addresses().add(each);
  *list = made;
  return 0;
}

/// Of a part of a list too, as POSIX has it.
void host_freeaddrinfo(addrinfo* list) {
  for (addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (!addresses().take(each))
      stop_module_call("freeaddrinfo() was given a list that is freed already, or not of getaddrinfo()");
  }
  freeaddrinfo(list);
}

}  // namespace

bool is_server_stream(const FILE* stream) {
  return is_server_descriptor(stream->_fileno) || is_standard_stream(stream);
}

std::span<const HostSymbol> open_stream_functions() {
  static const HostSymbol functions[] = {
      host_function("fopen", host_fopen),
      host_function("fopen64", host_fopen),
      host_function("_IO_fopen", host_fopen),
      host_function("tmpfile", host_tmpfile),
      host_function("tmpfile64", host_tmpfile),
      host_function("popen", host_popen),
      host_function("_IO_popen", host_popen),
      host_function("setmntent", host_setmntent),
      host_function("__setmntent", host_setmntent),
      host_function("fdopen", host_fdopen),
      host_function("_IO_fdopen", host_fdopen),
      host_function("fclose", host_fclose),
      host_function("_IO_fclose", host_fclose),
      host_function("pclose", host_pclose),
      host_function("endmntent", host_endmntent),
      host_function("__endmntent", host_endmntent),
      host_function("freopen", host_freopen),
      host_function("freopen64", host_freopen),
      host_function("opendir", host_opendir),
      host_function("fdopendir", host_fdopendir),
      host_function("closedir", host_closedir),
      host_function("getaddrinfo", host_getaddrinfo),
      host_function("freeaddrinfo", host_freeaddrinfo),
  };
  return functions;
}

}  // namespace cweb::runtime
