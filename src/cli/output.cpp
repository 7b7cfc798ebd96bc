#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/terminal_text.h"

namespace cweb::cli {

namespace {

/// Why standard output could not be written first, which stdio does not keep; 0: it could. Main thread.
int write_error = 0;

void note_error() {
  if (write_error == 0) write_error = errno;
}

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) note_error();
}

bool flush_output() {
  if (std::fflush(stdout) != 0) note_error();
  return write_error == 0 && std::ferror(stdout) == 0;
}

bool has_reader() {
  // Errors alone: of a pipe whose other end is closed, of a terminal that is gone.
  pollfd out{STDOUT_FILENO, 0, 0};
  if (::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0 && write_error == 0) write_error = EPIPE;
  return write_error == 0;
}

void print_foreign(std::string_view text) {
  if (isatty(STDOUT_FILENO) == 1) return print(harmless(text));
  print(text);
}

void print_message(std::string_view text) {
  // On a terminal both are one text, and its order is that of the calls.
  flush_output();
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void complain(std::string_view sentence) {
  print_message("cweb: " + std::string(sentence) + "\n");
}

int finish_output(int exit_code) {
  if (flush_output()) return exit_code;
  // A reader that has enough, like head(1), wants no word about it.
  if (write_error != EPIPE) complain(std::string("standard output cannot be written: ") + std::strerror(write_error));
  return std::max(exit_code, 1);
}

}  // namespace cweb::cli
