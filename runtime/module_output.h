// What module code prints, put together to lines on the thread that prints. A line ends with its newline, or with the
// call: what a call has printed before a fault is told too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdio>
#include <optional>

#include "runtime/output_sink.h"

namespace cweb::runtime {

/// Longer lines are cut.
inline constexpr size_t longest_output_line = 8192;

/// `bytes` may be memory of the module: a fault while they are read is the module's, and leaves nothing behind but what
/// was read before. Outside of a call they go to the process's own stream.
void print_output(OutputStream stream, const char* bytes, size_t count);

/// Where the module's `stdout` or `stderr` stands while its call runs.
FILE** output_file(OutputStream stream);
/// The stream itself, whatever the module has assigned to the name.
FILE* known_output_file(OutputStream stream);
/// The same for what has to be an address that never changes: one for all modules.
FILE** shared_output_file(OutputStream stream);
/// What a module has assigned to that ends with the call, the fault or the version: it is everybody's.
void restore_shared_output_files();
/// Is it one of those? For the functions that would close or change it.
bool is_output_file(const FILE* stream);
/// And where does it lead? Cheap for those that are not.
std::optional<OutputStream> output_stream_of(const FILE* stream);

/// In a process that is about to die: a moment for whoever shows what modules have printed. The last lines tell most.
/// May be called in a signal handler.
void wait_for_output();

/// After a fault: see OutputFiles.
void release_output_locks();

/// Has the call that runs on this thread printed anything? A load and a branch for those that have not.
extern constinit thread_local bool output_pending;
void end_pending_output();
/// When a call, or a module's thread, has ended; its version is still the current one.
inline void end_output() {
  if (output_pending) end_pending_output();
}

}  // namespace cweb::runtime
