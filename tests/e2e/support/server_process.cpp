#include "server_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "pace.h"

namespace cweb::e2e {
namespace {

constexpr int ready_fd = 200;

struct Pipe {
  UniqueFd read_end, write_end;
};

Pipe make_pipe() {
  int ends[2];
  CWEB_ASSERT(pipe2(ends, O_CLOEXEC) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool readable_within(int fd, int time_ms) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  int result = 0;
  while ((result = poll(&waiting, 1, time_ms)) < 0 && errno == EINTR) {
  }
  return result > 0;
}

/// What a sanitizer, an assertion of ours or libc says before it ends a process, or goes on.
const char* found_report(const std::string& log) {
  for (const char* mark : {"Sanitizer", "runtime error:", "cweb: bug:", "terminate called", "LLVM ERROR",
                           "malloc(): ", "free(): ", "<jemalloc>"}) {
    if (log.find(mark) != std::string::npos) return mark;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> options_for(Compiling compiling) {
  if (compiling == Compiling::in_process) return {"--compile-in-process"};
  return {};
}

std::string to_string(Compiling compiling) {
  return compiling == Compiling::in_process ? "in_process" : "in_helpers";
}

void PrintTo(Compiling compiling, std::ostream* out) {
  *out << to_string(compiling);
}

std::string cweb_binary() {
  return CWEB_BINARY;
}

std::string project_file(const std::string& path) {
  return std::string(CWEB_PROJECT_DIR) + "/" + path;
}

std::string read_project_file(const std::string& path) {
  std::ifstream file(project_file(path), std::ios::binary);
  EXPECT_TRUE(file) << project_file(path) << " cannot be read";
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

ServerProcess::ServerProcess(std::vector<std::string> options, std::vector<std::string> environment,
                             Supervision supervision) {
  if (supervision == Supervision::none) options.push_back("--no-supervisor");
  if (!start(std::move(options), std::move(environment))) {
    ADD_FAILURE() << "the server did not become ready; its log:\n" << log();
  }
}

bool ServerProcess::start(std::vector<std::string> options, std::vector<std::string> environment) {
  Pipe ready = make_pipe();
  Pipe events = make_pipe();
  Pipe gate = make_pipe();
  std::vector<std::string> command{cweb_binary(), "serve", "--ready-fd", std::to_string(ready_fd)};
  if (std::find(options.begin(), options.end(), "--port") == options.end()) {
    command.insert(command.end(), {"--port", "0"});
  }
  command.insert(command.end(), options.begin(), options.end());
  pid_ = start_program(command,
                       {{log_.fd(), STDOUT_FILENO},
                        {log_.fd(), STDERR_FILENO},
                        {ready.write_end.get(), ready_fd},
                        {events.write_end.get(), events_fd},
                        {gate.read_end.get(), gate_fd}},
                       environment);
  if (pid_ < 0) return false;
  events_ = std::move(events.read_end);
  gate_ = std::move(gate.write_end);
  ready.write_end.reset();
  return read_ready_line(ready.read_end.get());
}

bool ServerProcess::read_ready_line(int fd) {
  char byte = 0;
  while (readable_within(fd, static_cast<int>(2 * patience.count())) && read(fd, &byte, 1) == 1) {
    ready_line_ += byte;
    if (byte == '\n') break;
  }
  const auto ready = nlohmann::json::parse(ready_line_, nullptr, /*allow_exceptions=*/false);
  if (!ready.is_object() || !ready.contains("port")) return false;
  port_ = ready["port"].get<uint16_t>();
  return true;
}

ServerProcess::~ServerProcess() {
  if (pid_ >= 0) stop();
  if (testing::Test::HasFailure()) {
    std::fprintf(stderr, "---- log of the server ----\n%s---- end of the log ----\n", log().c_str());
  }
}

std::string ServerProcess::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

bool ServerProcess::fill_events(int time_ms) {
  if (!readable_within(events_.get(), time_ms)) return false;
  char text[4096];
  const ssize_t count = read(events_.get(), text, sizeof text);
  if (count <= 0) return false;
  event_text_.append(text, static_cast<size_t>(count));
  return true;
}

std::string ServerProcess::next_event(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    if (const size_t newline = event_text_.find('\n'); newline != std::string::npos) {
      std::string line = event_text_.substr(0, newline);
      event_text_.erase(0, newline + 1);
      return line;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left < 0 || !fill_events(static_cast<int>(left))) return {};
  }
}

std::string ServerProcess::next_event() {
  return next_event(patience);
}

std::vector<std::string> ServerProcess::remaining_events() {
  while (fill_events(0)) {
  }
  std::vector<std::string> lines;
  while (event_text_.find('\n') != std::string::npos) lines.push_back(next_event(std::chrono::milliseconds(0)));
  return lines;
}

void ServerProcess::open_gate(size_t count) {
  const std::string bytes(count, 'x');
  EXPECT_EQ(write(gate_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(count));
}

void ServerProcess::terminate() {
  terminated_ = true;
  kill(pid_, SIGTERM);
}

int ServerProcess::take_end(pid_t pid) const {
  // Ten seconds are the server's own bound on requests that are running, five on unloads.
  const int status = wait_for_end(pid, std::chrono::seconds(20) + patience);
  if (status == -1) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  if (const char* report = found_report(log())) ADD_FAILURE() << "the server's log has \"" << report << "\" in it";
  return status;
}

int ServerProcess::await_end() {
  return take_end(std::exchange(pid_, -1));
}

bool ServerProcess::stop() {
  if (pid_ < 0) return false;
  const pid_t pid = std::exchange(pid_, -1);
  if (!terminated_ && clean_end_expected_) kill(pid, SIGTERM);
  const int status = take_end(pid);
  const bool clean = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (clean_end_expected_) {
    EXPECT_TRUE(clean) << "the server's end: " << describe_end(status);
  }
  return clean;
}

}  // namespace cweb::e2e
