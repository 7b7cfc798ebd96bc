#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/terminal_text.h"

namespace cweb::cli {

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_foreign(std::string_view text) {
  if (isatty(STDOUT_FILENO) == 1) return print(harmless(text));
  print(text);
}

void print_message(std::string_view text) {
  // On a terminal both are one text, and its order is that of the calls.
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void complain(std::string_view sentence) {
  print_message("cweb: " + std::string(sentence) + "\n");
}

int finish_output(int exit_code) {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && !failed_before) return exit_code;
  if (errno != EPIPE) {
    const std::string why = errno != 0 ? std::string(": ") + std::strerror(errno) : std::string();
    complain("standard output cannot be written" + why);
  }
  return std::max(exit_code, 1);
}

}  // namespace cweb::cli
