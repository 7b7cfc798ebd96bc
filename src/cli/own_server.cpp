#include "cli/own_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
/// Descriptor of the ready line in the server.
constexpr int ready_number = 3;

bool is_taken(uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == EADDRINUSE;
}

std::vector<std::string> command_line(const OwnServerOptions& options) {
  const uint16_t port = options.port ? *options.port : is_taken(usual_port) ? uint16_t{0} : usual_port;
  std::vector<std::string> command{
      "cweb",         "serve", "--port",     std::to_string(port),        "--development", "--host", "127.0.0.1",
      "--log-format", "text",  "--ready-fd", std::to_string(ready_number)};
  command.insert(command.end(), options.further.begin(), options.further.end());
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
  std::array<int, 2> ready{};
  std::unique_ptr<OwnServer> server(new OwnServer());
  server->log_ = UniqueFd(::memfd_create("log", MFD_CLOEXEC));
  if (!server->log_ || ::pipe2(ready.data(), O_CLOEXEC) != 0) {
    return fail(std::string("no server can be started: ") + std::strerror(errno));
  }
  ::fcntl(server->log_.get(), F_SETFL, O_APPEND);
  const UniqueFd reading(ready[0]);
  UniqueFd writing(ready[1]);
  std::vector<std::string> command = command_line(options);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const std::vector<char*> environment = own_environment();
  const pid_t self = ::getpid();
  server->pid_ = ::fork();
  if (server->pid_ == 0) become_server(arguments.data(), environment.data(), writing.get(), server->log_.get(), self);
  if (server->pid_ < 0) return fail(std::string("no server can be started: ") + std::strerror(errno));
  writing = UniqueFd();
  server->process_ = open_process(server->pid_);
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
  if (!ready.is_object()) return fail("the server did not start: " + last_words());
  port_ = ready.value("port", uint16_t{0});
  url_ = ready.value("scheme", "http") + "://localhost:" + std::to_string(port_);
  return {};
}

std::string OwnServer::last_words() const {
  constexpr off_t most = 4096;
  struct stat facts{};
  ::fstat(log_.get(), &facts);
  std::string text(static_cast<size_t>(std::min(facts.st_size, most)), '\0');
  const ssize_t count = ::pread(log_.get(), text.data(), text.size(), std::max<off_t>(facts.st_size - most, 0));
  text.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? "it said nothing" : text;
}

void OwnServer::stop(int interrupt_fd) {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  std::array<pollfd, 2> fds{{{process_.get(), POLLIN, 0}, {interrupt_fd, POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
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
