#include "terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "child_process.h"
#include "pace.h"

namespace cweb::e2e {

Terminal::Terminal(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& text : command) argv.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  const winsize size{.ws_row = 24, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
  int master = -1;
  pid_ = forkpty(&master, nullptr, nullptr, &size);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("TERM", "xterm", 0);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  CWEB_ASSERT(pid_ > 0);
  master_.reset(master);
  fcntl(master, F_SETFD, FD_CLOEXEC);
}

Terminal::~Terminal() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Terminal::await(const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (bool is_open = true; is_open && std::chrono::steady_clock::now() < end;) {
    const size_t found = shown_.find(text, awaited_);
    if (found != std::string::npos) {
      awaited_ = found + text.size();
      return true;
    }
    is_open = read_some();
  }
  return false;
}

void Terminal::type(const std::string& keys) {
  CWEB_ASSERT(write(master_.get(), keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

bool Terminal::echoes() const {
  termios settings{};
  CWEB_ASSERT(tcgetattr(master_.get(), &settings) == 0);
  return (settings.c_lflag & ECHO) != 0;
}

int Terminal::await_end() {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (read_some() && std::chrono::steady_clock::now() < end) {
  }
  const int status = wait_for_end(pid_, patience);
  if (status != -1) pid_ = -1;
  return status;
}

bool Terminal::read_some() {
  pollfd ready{.fd = master_.get(), .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, 50) == 0) return true;
  std::array<char, 4096> bytes;
  const ssize_t count = read(master_.get(), bytes.data(), bytes.size());
  if (count > 0) shown_.append(bytes.data(), static_cast<size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);  // EIO: nobody has the other side open
}

}  // namespace cweb::e2e
