// Functions of zlib and OpenSSL that take a descriptor or a stream and close it later: none of the server's goes with
// them. OpenSSL leaves out the closing; zlib cannot, and refuses.
#include <openssl/bio.h>
#include <zlib.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "runtime/host_functions.h"
#include "runtime/live_set.h"
#include "runtime/module_stop.h"

namespace cweb::runtime {
namespace {

// ---- gzFile

/// Those that modules have opened and not closed. Never destroyed: modules' threads end after main does.
LiveSet<gzFile>& open_files() {
  static auto* const files = new LiveSet<gzFile>();
  return *files;
}

gzFile host_gzopen(const char* path, const char* mode) {
  return open_files().add(gzopen(path, mode));
}

gzFile host_gzdopen(int fd, const char* mode) {
  if (is_server_descriptor(fd)) return errno = EBADF, nullptr;
  return open_files().add(gzdopen(fd, mode));
}

/// `close` is gzclose or one of its kind. Null they refuse themselves.
template <auto close>
int host_gzclose(gzFile file) {
  if (file != nullptr && !open_files().take(file)) stop_module_call("gzclose() was given a file that is not open");
  const int result = close(file);
  // What reads and what writes have functions of their own: the other leaves it open.
  if (result == Z_STREAM_ERROR) open_files().add(file);
  return result;
}

// ---- BIOs: see BIO_new_fd(3), BIO_new_fp(3), BIO_set_close(3)

int close_flag(int fd, int wanted) {
  return is_server_descriptor(fd) ? BIO_NOCLOSE : wanted;
}

BIO* host_bio_new_fd(int fd, int closes) {
  return BIO_new_fd(fd, close_flag(fd, closes));
}
BIO* host_bio_new_socket(int fd, int closes) {
  return BIO_new_socket(fd, close_flag(fd, closes));
}
BIO* host_bio_new_dgram(int fd, int closes) {
  return BIO_new_dgram(fd, close_flag(fd, closes));
}
BIO* host_bio_new_fp(FILE* stream, int flags) {
  return BIO_new_fp(stream, is_server_stream(stream) ? flags & ~BIO_CLOSE : flags);
}

/// As the library tells that it could not: it gives 0 for what is no socket any more.
int host_bio_closesocket(int fd) {
  if (is_server_descriptor(fd)) return 0;
  return BIO_closesocket(fd);
}

bool has_servers_descriptor(BIO* bio) {
  int fd = -1;
  BIO_get_fd(bio, &fd);
  return is_server_descriptor(fd);
}
bool has_servers_stream(BIO* bio) {
  FILE* stream = nullptr;
  BIO_get_fp(bio, &stream);
  return stream != nullptr && is_server_stream(stream);
}

/// Of this BIO and those behind it, the one that would close what is the server's; null: none.
BIO* find_closer(BIO* bio) {
  if (bio == nullptr) return nullptr;  // which BIO_free takes, and BIO_find_type calls an error
  BIO* const of_descriptor = BIO_find_type(bio, BIO_TYPE_DESCRIPTOR);
  if (of_descriptor != nullptr && has_servers_descriptor(of_descriptor)) return of_descriptor;
  BIO* const of_stream = BIO_find_type(bio, BIO_TYPE_FILE);
  return of_stream != nullptr && has_servers_stream(of_stream) ? of_stream : nullptr;
}

/// Most of what is done with a BIO is a macro around this.
long host_bio_ctrl(BIO* bio, int command, long number, void* pointer) {
  switch (command) {
    case BIO_C_SET_FD:
      number = close_flag(*static_cast<const int*>(pointer), static_cast<int>(number));
      break;
    case BIO_C_SET_FILE_PTR:
      if (is_server_stream(static_cast<const FILE*>(pointer))) number &= ~long{BIO_CLOSE};
      break;
    case BIO_CTRL_SET_CLOSE:
      if (number != BIO_NOCLOSE && find_closer(bio) != nullptr) number = BIO_NOCLOSE;
      break;
    default:
      break;
  }
  return BIO_ctrl(bio, command, number, pointer);
}
long host_bio_int_ctrl(BIO* bio, int command, long number, int value) {
  return host_bio_ctrl(bio, command, number, &value);
}
void host_bio_set_shutdown(BIO* bio, int closes) {
  BIO_set_shutdown(bio, closes != BIO_NOCLOSE && find_closer(bio) != nullptr ? BIO_NOCLOSE : closes);
}

/// The module may have closed the descriptor behind its back, and the server has the number now.
void keep_servers(BIO* bio) {
  if (BIO* const closer = find_closer(bio); closer != nullptr) BIO_set_shutdown(closer, BIO_NOCLOSE);
}
int host_bio_free(BIO* bio) {
  keep_servers(bio);
  return BIO_free(bio);
}
void host_bio_vfree(BIO* bio) {
  keep_servers(bio);
  BIO_vfree(bio);
}
void host_bio_free_all(BIO* bio) {
  keep_servers(bio);
  BIO_free_all(bio);
}

}  // namespace

std::span<const HostSymbol> library_descriptor_functions() {
  static const HostSymbol functions[] = {
      host_function("gzopen", host_gzopen),
      host_function("gzopen64", host_gzopen),
      host_function("gzdopen", host_gzdopen),
      host_function("gzclose", host_gzclose<gzclose>),
      host_function("gzclose_r", host_gzclose<gzclose_r>),
      host_function("gzclose_w", host_gzclose<gzclose_w>),
      host_function("BIO_new_fd", host_bio_new_fd),
      host_function("BIO_new_socket", host_bio_new_socket),
      host_function("BIO_new_dgram", host_bio_new_dgram),
      host_function("BIO_new_fp", host_bio_new_fp),
      host_function("BIO_closesocket", host_bio_closesocket),
      host_function("BIO_ctrl", host_bio_ctrl),
      host_function("BIO_int_ctrl", host_bio_int_ctrl),
      host_function("BIO_set_shutdown", host_bio_set_shutdown),
      host_function("BIO_free", host_bio_free),
      host_function("BIO_vfree", host_bio_vfree),
      host_function("BIO_free_all", host_bio_free_all),
  };
  return functions;
}

}  // namespace cweb::runtime
