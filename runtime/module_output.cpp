#include "runtime/module_output.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/fault_guard.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "runtime/output_files.h"
#include "runtime/stream_lock.h"

namespace cweb::runtime {

constinit thread_local bool output_pending = false;

namespace {

std::atomic<OutputSink*> the_sink{nullptr};
std::atomic<bool> anything_printed{false};

/// The line that is being printed.
struct Line {
  size_t length = 0;
  bool cut = false;
  std::array<char, longest_output_line> text;
};

struct ThreadOutput {
  std::array<Line, 2> lines;
  OutputPair* pair = nullptr;    ///< of the current version, lent until the call ends
  std::array<FILE*, 2> files{};  ///< of the pair; variables of the module's, which it may assign to
};

thread_local ThreadOutput* output_of_thread = nullptr;
struct Owner {
  bool is_there = false;
  ~Owner() { delete std::exchange(output_of_thread, nullptr); }
};
thread_local Owner owner;

/// Null outside of a call, or without memory.
ThreadOutput* find_output() {
  if (current_version() == nullptr) return nullptr;
  if (output_of_thread != nullptr) return output_of_thread;
  const HostSection section;
  owner.is_there = true;  // from here on it is destroyed with the thread
  output_of_thread = new (std::nothrow) ThreadOutput;
  return output_of_thread;
}

void tell(OutputStream stream, Line& line) {
  const HostSection section;
  if (OutputSink* const sink = the_sink.load(std::memory_order_acquire)) {
    if (!anything_printed.load(std::memory_order_relaxed)) anything_printed.store(true, std::memory_order_relaxed);
    sink->printed(*current_version(), stream, {line.text.data(), line.length}, line.cut);
  }
  line.length = 0;
  line.cut = false;
}

const OutputPair& shared_pair() {
  static const OutputPair pair = OutputPair::open();
  return pair;
}

/// Variables, as modules see them.
std::array<FILE*, 2>& shared_files() {
  static std::array<FILE*, 2> files = shared_pair().files;
  return files;
}

/// With a pair of the current version; null outside of a call, or without memory.
ThreadOutput* borrow_pair() {
  ThreadOutput* const output = find_output();
  if (output == nullptr || output->pair != nullptr) return output;
  const HostSection section;
  output->pair = current_version()->output_files().borrow();
  if (output->pair == nullptr) return nullptr;
  output->files = output->pair->files;
  output_pending = true;
  return output;
}

}  // namespace

void set_output_sink(OutputSink* sink) {
  the_sink.store(sink, std::memory_order_release);
}

void print_output(OutputStream stream, const char* bytes, size_t count) {
  ThreadOutput* const output = find_output();
  if (output == nullptr) {
    [[maybe_unused]] const ssize_t written = write(static_cast<int>(stream) + 1, bytes, count);
    return;
  }
  Line& line = output->lines[static_cast<size_t>(stream)];
  while (count > 0) {
    const auto* const newline = static_cast<const char*>(std::memchr(bytes, '\n', count));
    const size_t piece = newline == nullptr ? count : static_cast<size_t>(newline - bytes);
    const size_t kept = std::min(piece, line.text.size() - line.length);
    std::memcpy(line.text.data() + line.length, bytes, kept);
    line.length += kept;
    line.cut |= kept < piece;
    output_pending = true;
    if (newline == nullptr) return;
    tell(stream, line);
    bytes += piece + 1;
    count -= piece + 1;
  }
}

FILE** output_file(OutputStream stream) {
  ThreadOutput* const output = borrow_pair();
  if (output != nullptr) return &output->files[static_cast<size_t>(stream)];
  restore_shared_output_files();
  return shared_output_file(stream);
}

FILE* known_output_file(OutputStream stream) {
  const ThreadOutput* const output = borrow_pair();
  const OutputPair& pair = output == nullptr ? shared_pair() : *output->pair;
  return pair.files[static_cast<size_t>(stream)];
}

FILE** shared_output_file(OutputStream stream) {
  return &shared_files()[static_cast<size_t>(stream)];
}

void restore_shared_output_files() {
  const OutputPair& pair = shared_pair();
  for (size_t i = 0; i < pair.files.size(); ++i) {
    // Hardly ever is there anything to write, and all threads look at it.
    const std::atomic_ref<FILE*> file(shared_files()[i]);
    if (file.load(std::memory_order_relaxed) != pair.files[i]) file.store(pair.files[i], std::memory_order_relaxed);
  }
}

bool is_output_file(const FILE* stream) {
  const HostSection section;
  const OutputPair* const own = output_of_thread == nullptr ? nullptr : output_of_thread->pair;
  if (own != nullptr && (stream == own->files[0] || stream == own->files[1])) return true;
  const auto& shared = shared_pair().files;
  if (std::find(shared.begin(), shared.end(), stream) != shared.end()) return true;
  const ModuleVersion* const version = current_version();
  return version != nullptr && version->output_files().has(stream);
}

std::optional<OutputStream> output_stream_of(const FILE* stream) {
  // May be no stream at all: read before anything is held. What number ours have, OutputPair says.
  const int fd = stream->_fileno;
  if ((fd != STDOUT_FILENO && fd != STDERR_FILENO) || !is_output_file(stream)) return std::nullopt;
  return fd == STDOUT_FILENO ? OutputStream::out : OutputStream::error;
}

void wait_for_output() {
  constexpr timespec enough{.tv_sec = 0, .tv_nsec = 20'000'000};
  if (anything_printed.load(std::memory_order_relaxed)) nanosleep(&enough, nullptr);
}

void release_output_locks() {
  restore_shared_output_files();
  for (FILE* file : shared_pair().files) {
    if (file != nullptr) release_stream_lock(file);
  }
  if (ModuleVersion* const version = current_version()) version->output_files().release_locks();
}

void end_pending_output() {
  output_pending = false;
  ThreadOutput* const output = output_of_thread;
  if (output == nullptr || current_version() == nullptr) return;
  for (const OutputStream stream : {OutputStream::out, OutputStream::error}) {
    Line& line = output->lines[static_cast<size_t>(stream)];
    if (line.length > 0) tell(stream, line);
  }
  restore_shared_output_files();
  OutputPair* const pair = std::exchange(output->pair, nullptr);
  if (pair == nullptr) return;
  for (FILE* file : pair->files) release_stream_lock(file);
  current_version()->output_files().give_back(*pair);
}

}  // namespace cweb::runtime
