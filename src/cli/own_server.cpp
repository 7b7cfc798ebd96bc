#include "cli/own_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace cweb::cli {
namespace {

constexpr uint16_t usual_port = 8080;
constexpr int end_patience_ms = 5'000;
/// Code of a module may never return, and nothing of this server is kept.
constexpr int stop_patience_ms = 1'000;
/// Not a name: it may lead to another family first, where somebody else listens.
constexpr const char* own_host = "127.0.0.1";
/// Descriptor of the ready line in the server.
constexpr int ready_number = 3;

bool names(const std::vector<std::string>& options, std::string_view option) {
  return std::ranges::any_of(
      options, [&](const std::string& each) { return each == option || each.starts_with(std::string(option) + "="); });
}

std::vector<std::string> command_line(uint16_t port, const std::vector<std::string>& further) {
  std::vector<std::string> command{
      "cweb", "serve", "--port", std::to_string(port), "--development", "--ready-fd", std::to_string(ready_number)};
  if (!names(further, "--host")) command.insert(command.end(), {"--host", "127.0.0.1"});
  if (!names(further, "--log-format")) command.insert(command.end(), {"--log-format", "text"});
  command.insert(command.end(), further.begin(), further.end());
  return command;
}

/// A descriptor that is readable when the process has ended (pidfd_open(2), which glibc 2.36 declares for C alone).
UniqueFd open_process(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

/// Without what is meant for the server that stays: its port, its key, its directory of modules.
std::vector<char*> own_environment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("CWEB_")) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

/// Everything between fork and exec: nothing here may allocate.
[[noreturn]] void become_server(char* const* arguments, char* const* environment, int ready_fd, int log_fd,
                                pid_t parent) {
  // The terminal's Ctrl-C is for `cweb run`, which ends this process in order.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log_fd, STDOUT_FILENO);
  ::dup2(log_fd, STDERR_FILENO);
  if (ready_fd == ready_number) {
    ::fcntl(ready_fd, F_SETFD, 0);
  } else {
    ::dup2(ready_fd, ready_number);
  }
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

}  // namespace

Expected<std::unique_ptr<OwnServer>> OwnServer::start(const OwnServerOptions& options) {
  for (const char* const own : {"--port", "--ready-fd", "--production", "--admin-key-file", "--read-key-file"}) {
    if (names(options.further, own)) return fail(std::string("cweb run decides on ") + own + " itself: leave it out");
  }
  auto server = start_on(options.port.value_or(usual_port), options.further);
  if (server || options.port) return server;
  // Whatever was wrong, it is said by the second one too, unless it was the port.
  server = start_on(0, options.further);
  if (server) (*server)->usual_port_is_taken_ = true;
  return server;
}

Expected<std::unique_ptr<OwnServer>> OwnServer::start_on(uint16_t port, const std::vector<std::string>& further) {
  std::array<int, 2> ready{};
  std::array<int, 2> log{};
  std::unique_ptr<OwnServer> server(new OwnServer());
  if (::pipe2(ready.data(), O_CLOEXEC) != 0)
    return fail(std::string("no server can be started: ") + std::strerror(errno));
  const UniqueFd reading(ready[0]);
  UniqueFd writing(ready[1]);
  if (::pipe2(log.data(), O_CLOEXEC) != 0)
    return fail(std::string("no server can be started: ") + std::strerror(errno));
  UniqueFd log_reading(log[0]);
  UniqueFd log_writing(log[1]);
  std::vector<std::string> command = command_line(port, further);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const std::vector<char*> environment = own_environment();
  const pid_t self = ::getpid();
  server->pid_ = ::fork();
  if (server->pid_ == 0) become_server(arguments.data(), environment.data(), writing.get(), log_writing.get(), self);
  if (server->pid_ < 0) return fail(std::string("no server can be started: ") + std::strerror(errno));
  writing = UniqueFd();
  log_writing = UniqueFd();
  server->process_ = open_process(server->pid_);
  server->log_ = LastWords::listen(std::move(log_reading));
  if (auto came_up = server->await_ready(reading.get()); !came_up) return std::unexpected(came_up.error());
  return server;
}

/// The server closes the descriptor behind the line, and so does its end.
Expected<void> OwnServer::await_ready(int ready_fd) {
  std::string line;
  std::array<char, 512> buffer;
  for (;;) {
    const ssize_t count = ::read(ready_fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return fail("interrupted");
    if (count <= 0) break;
    line.append(buffer.data(), static_cast<size_t>(count));
  }
  const nlohmann::json ready = nlohmann::json::parse(line, nullptr, false);
  if (!ready.is_object()) {
    // It ends, or has ended: then all that it said is there.
    pollfd ended{process_.get(), POLLIN, 0};
    ::poll(&ended, 1, end_patience_ms);
    std::string words = last_words();
    constexpr std::string_view own_name = "cweb: ";  // which begins what is said here, too
    if (words.starts_with(own_name)) words.erase(0, own_name.size());
    return fail("the server did not start: " + words);
  }
  const std::string scheme = ready.value("scheme", "http") + "://";
  const std::string port = ":" + std::to_string(ready.value("port", 0));
  url_ = scheme + own_host + port;
  shown_url_ = scheme + "localhost" + port;
  return {};
}

std::string OwnServer::last_words() const {
  // Whoever has ended has said it all; it is only to be read yet.
  std::string text = log_->text();
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? "it said nothing" : text;
}

void OwnServer::stop(int interrupt_fd) {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  std::array<pollfd, 2> fds{{{process_.get(), POLLIN, 0}, {interrupt_fd, POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), stop_patience_ms) < 0 && errno == EINTR) {
  }
  // The parent that looks after the server: the server dies with it.
  if (fds[0].revents == 0) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

OwnServer::~OwnServer() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace cweb::cli
