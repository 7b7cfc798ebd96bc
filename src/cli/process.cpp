#include "cli/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

namespace cweb::cli {
namespace {

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

void end_now(int) {
  _exit(130);
}

}  // namespace

void take_closed_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest number that is free is given, which is this one.
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void set_up_signals() {
  const sigset_t awaited = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a client that hangs up is an error of write(), not a reason to die
  std::signal(SIGXFSZ, SIG_IGN);
}

void wait_for_end(const std::function<void()>& hung_up) {
  const sigset_t awaited = awaited_signals();
  for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
    if (sigwait(&awaited, &signal) == 0 && signal == SIGHUP) hung_up();
  }
  std::signal(SIGINT, end_now);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

size_t connections_for_descriptors() {
  constexpr size_t most = 32'768;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return most;
  return std::clamp(static_cast<size_t>(limit.rlim_cur) / 5 * 4, size_t{1}, most);
}

Expected<void> keep_private(int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return {};
  return fail("--ready-fd " + std::to_string(fd) + " is not an open descriptor");
}

Expected<void> write_ready_line(int fd, const ReadyLine& ready) {
  nlohmann::ordered_json json = {
      {"host", ready.host}, {"port", ready.port}, {"scheme", ready.is_https ? "https" : "http"}, {"pid", getpid()}};
  if (ready.redirect_port != 0) json["redirect_port"] = ready.redirect_port;
  if (ready.supervisor) json["supervisor"] = *ready.supervisor;
  const std::string line = json.dump() + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("the ready line could not be written: " + std::string(std::strerror(errno)));
    rest.remove_prefix(static_cast<size_t>(written));
  }
  if (fd > STDERR_FILENO) close(fd);
  return {};
}

}  // namespace cweb::cli
