#include "cli/interrupts.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace cweb::cli {
namespace {

// A signal handler is given nothing else to know them by.
std::atomic<bool> interrupted = false;
std::atomic<int> wake_fd = -1;
std::atomic<int> times = 0;
/// Whoever asks more often wants no order any more.
constexpr int patience = 2;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void note(int signal) {
  const int error = errno;
  interrupted = true;
  if (++times > patience) ::_exit(128 + signal);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd, &one, sizeof one);
  errno = error;
}

}  // namespace

Expected<Interrupts> Interrupts::take_over() {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail(std::string("signals cannot be waited for: ") + std::strerror(errno));
  wake_fd = wake.get();
  struct sigaction action{};
  action.sa_handler = note;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // What was ignored before, as nohup does, stays so.
    struct sigaction before{};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
  return Interrupts(std::move(wake));
}

void Interrupts::clear() const {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
}

const std::atomic<bool>* Interrupts::flag() const {
  return &interrupted;
}

}  // namespace cweb::cli
