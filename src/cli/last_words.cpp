#include "cli/last_words.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace cweb::cli {

std::unique_ptr<LastWords> LastWords::listen(UniqueFd pipe) {
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC));
  CWEB_ASSERT(wake);
  std::unique_ptr<LastWords> words(new LastWords(std::move(pipe), std::move(wake)));
  // Ctrl-C is for the thread that waits for it.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  words->thread_ = std::jthread([words = words.get()] { words->work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return words;
}

LastWords::~LastWords() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void LastWords::work() {
  std::array<pollfd, 2> fds{{{pipe_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  while (fds[1].revents == 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    const std::lock_guard lock(mutex_);
    read_some();
    // Nobody has the other end any more.
    if ((fds[0].revents & POLLHUP) != 0) fds[0].fd = -1;
  }
}

/// Whoever has the lock.
void LastWords::read_some() const {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    text_.append(buffer.data(), static_cast<size_t>(count));
    if (text_.size() <= most_bytes) continue;
    text_.erase(0, text_.size() - most_bytes);
    text_.erase(0, text_.find('\n') + 1);
  }
}

std::string LastWords::text() const {
  const std::lock_guard lock(mutex_);
  read_some();
  return text_;
}

}  // namespace cweb::cli
