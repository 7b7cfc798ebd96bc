#include "runtime/last_words.h"

#include <execinfo.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "base/log.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

int crash_note_fd = -1;

void write_text(int fd, std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(fd, text.data(), text.size());
}

void write_note(const std::string& name) {
  // With the NUL, which ends a name that is shorter than what stands there.
  [[maybe_unused]] const ssize_t written = pwrite(crash_note_fd, name.c_str(), name.size() + 1, 0);
}

}  // namespace

void set_crash_note(int fd) {
  crash_note_fd = fd;
}

void say_last_words(int signal_number) {
  const ModuleVersion* const version = current_version();
  if (version != nullptr && crash_note_fd >= 0) write_note(version->config.name);
  // A line of JSON has to be whole, backtrace included: that is put together in a file in memory.
  const int collected = log::format() == log::Format::json ? memfd_create("cweb-last-words", MFD_CLOEXEC) : -1;
  const int out = collected >= 0 ? collected : STDERR_FILENO;
  write_text(out, "cweb: died of ");
  const char* const name = sigabbrev_np(signal_number);
  write_text(out, "SIG");
  write_text(out, name == nullptr ? "?" : name);
  if (version != nullptr) {
    write_text(out, " during a call of module ");
    write_text(out, version->config.name);
  }
  write_text(out, "; backtrace:\n");
  void* frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, std::size(frames)), out);
  if (collected < 0) return;
  std::array<char, 8192> text;
  const ssize_t length = pread(collected, text.data(), text.size(), 0);
  if (length > 0) log::say(spdlog::level::critical, {text.data(), static_cast<size_t>(length)});
}

bool is_first_to_die() {
  static std::atomic<pid_t> dying{0};
  pid_t first = 0;
  if (dying.compare_exchange_strong(first, gettid())) return true;
  constexpr timespec enough{.tv_sec = 2, .tv_nsec = 0};
  if (first != gettid()) nanosleep(&enough, nullptr);
  return false;
}

}  // namespace cweb::runtime
