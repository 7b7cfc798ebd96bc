#include "cli/key_prompt.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/output.h"

namespace cweb::cli {
namespace {

constexpr size_t longest_line = 8192;
constexpr std::array<int, 4> ending_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile std::sig_atomic_t ending_signal = 0;

void note_signal(int signal) {
  ending_signal = signal;
}

/// The signals that end a process are let in while the key is waited for, and nowhere else, so that none is missed
/// between a look and the wait. Ctrl-Z does nothing meanwhile: the shell would get a terminal without echo.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : ending_signals) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before_);
    struct sigaction action{};
    action.sa_handler = note_signal;
    for (size_t i = 0; i < ending_signals.size(); ++i) {
      sigaction(ending_signals[i], nullptr, &actions_[i]);
      // Who started this with the signal ignored (nohup) wants it so.
      if (actions_[i].sa_handler != SIG_IGN) sigaction(ending_signals[i], &action, nullptr);
    }
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGTSTP, &ignore, &stop_action_);
  }
  ~HeldSignals() {
    for (size_t i = 0; i < ending_signals.size(); ++i) sigaction(ending_signals[i], &actions_[i], nullptr);
    sigaction(SIGTSTP, &stop_action_, nullptr);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  /// False when a signal came before there was anything to read.
  bool wait_for_input() const {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    while (ending_signal == 0) {
      if (ppoll(&input, 1, nullptr, &before_) >= 0 || errno != EINTR) return ending_signal == 0;
    }
    return false;
  }

 private:
  sigset_t before_{};
  std::array<struct sigaction, ending_signals.size()> actions_{};
  struct sigaction stop_action_{};
};

class HiddenInput {
 public:
  HiddenInput() {
    is_terminal_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    hidden.c_lflag |= ECHONL | ICANON | ISIG;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  termios before_{};
  bool is_terminal_ = false;
};

/// Up to a line end or the end of input. Byte by byte where it is no terminal: what follows is somebody else's.
Expected<std::string> read_line(const HeldSignals& signals) {
  std::string line;
  char byte = 0;
  while (line.size() < longest_line) {
    if (!signals.wait_for_input()) return line;
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("the key cannot be read: " + std::string(std::strerror(errno)));
    if (count == 0 || byte == '\n') return line;
    line += byte;
  }
  return fail("the line is too long to be a key");
}

}  // namespace

Expected<std::string> ask_key(const std::string& question) {
  Expected<std::string> line;
  {
    const HeldSignals signals;
    const HiddenInput input;
    if (isatty(STDIN_FILENO) == 1) print_message(question);
    line = read_line(signals);
  }
  if (const int signal = ending_signal; signal != 0) {
    print_message("\n");
    raise(signal);
    return fail("the key was not given");
  }
  while (line && (line->ends_with('\r') || line->ends_with(' '))) line->pop_back();
  return line;
}

}  // namespace cweb::cli
