// What the server asks of its own process: signals, descriptors, the line that says it is ready. Main thread only.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"

namespace cweb::cli {

/// Standard input, output and error that are closed would be the numbers of the next files and sockets that are opened,
/// and what is printed would go there. They are taken by what fails to be read or written, as if they were closed.
void take_closed_standard_descriptors();

/// SIGTERM, SIGINT and SIGHUP stay pending until wait_for_end() takes them; a pipe without a reader and a file at its
/// limit are errors of write() and no signals. Call before there is another thread: threads inherit the mask.
void set_up_signals();

/// Blocks until SIGTERM or SIGINT comes, and calls `hung_up` for each SIGHUP until then. From then on another SIGINT
/// ends the process at once, with exit code 130.
void wait_for_end(const std::function<void()>& hung_up);

/// As many descriptors as the process may have: each connection is one.
void raise_descriptor_limit();

/// How many connections suit the limit on descriptors: helpers, modules and the server's own files need some as well.
size_t connections_for_descriptors();

/// Keeps a descriptor from being inherited by the processes that are started. Fails when it is not open.
Expected<void> keep_private(int fd);

/// What somebody who waits for the server wants to know of it.
struct ReadyLine {
  std::string host;
  uint16_t port = 0;
  bool is_https = false;
  uint16_t redirect_port = 0;            ///< 0: there is none
  std::optional<pid_t> supervisor = {};  ///< of the parent that looks after this process
};

/// Writes {"host":...,"port":...,"scheme":...,"pid":...} and a line end, and closes the descriptor: the reader sees the
/// end of file. Also "redirect_port" and "supervisor", where they are.
Expected<void> write_ready_line(int fd, const ReadyLine& ready);

}  // namespace cweb::cli
