#include "runtime/output_files.h"

#include <algorithm>

#include "runtime/module_output.h"
#include "runtime/stream_lock.h"

namespace cweb::runtime {
namespace {

ssize_t write_cookie(void* cookie, const char* bytes, size_t count) {
  print_output(*static_cast<const OutputStream*>(cookie), bytes, count);
  return static_cast<ssize_t>(count);
}

FILE* open_file(OutputStream stream) {
  static constexpr std::array cookies{OutputStream::out, OutputStream::error};
  const auto index = static_cast<size_t>(stream);
  void* const cookie = const_cast<OutputStream*>(&cookies[index]);
  FILE* const file =
      fopencookie(cookie, "w", {.read = nullptr, .write = write_cookie, .seek = nullptr, .close = nullptr});
  if (file == nullptr) return nullptr;
  std::setvbuf(file, nullptr, _IONBF, 0);
  // For fileno(): what is written to these descriptors is the module's output too.
  file->_fileno = static_cast<int>(index) + 1;
  return file;
}

}  // namespace

OutputPair OutputPair::open() {
  OutputPair pair{.files = {open_file(OutputStream::out), open_file(OutputStream::error)}};
  const bool failed = pair.files[0] == nullptr || pair.files[1] == nullptr;
  for (FILE*& file : pair.files) {
    if (!failed || file == nullptr) continue;
    std::fclose(file);
    file = nullptr;
  }
  if (failed) pair.files = {};
  return pair;
}

OutputFiles::~OutputFiles() {
  // One of these may stand there.
  restore_shared_output_files();
  for (const auto& pair : pairs_) {
    // What a library has left half done is not given back to it.
    if (pair->dropped) continue;
    for (FILE* file : pair->files) {
      // One that a thread of the module's has locked and kept so.
      if (ftrylockfile(file) != 0) continue;
      funlockfile(file);
      file->_fileno = -2;  // as it was made: nobody takes this for the end of the server's descriptor
      std::fclose(file);
    }
  }
}

OutputPair* OutputFiles::borrow() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    const OutputPair made = OutputPair::open();
    if (made.files[0] == nullptr) return nullptr;
    pairs_.push_back(std::make_unique<OutputPair>(made));
    return pairs_.back().get();
  }
  OutputPair* const pair = free_.back();
  free_.pop_back();
  return pair;
}

void OutputFiles::give_back(OutputPair& pair) {
  const std::lock_guard lock(mutex_);
  if (!pair.dropped) free_.push_back(&pair);
}

bool OutputFiles::has(const FILE* stream) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const auto& pair) {
    return std::find(pair->files.begin(), pair->files.end(), stream) != pair->files.end();
  });
}

void OutputFiles::release_locks() {
  const std::lock_guard lock(mutex_);
  for (const auto& pair : pairs_) {
    for (FILE* file : pair->files) {
      if (release_stream_lock(file)) pair->dropped = true;
    }
    if (pair->dropped) std::erase(free_, pair.get());
  }
}

}  // namespace cweb::runtime
