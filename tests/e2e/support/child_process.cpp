#include "child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "pace.h"

namespace cweb::e2e {
namespace {

std::vector<char*> as_argv(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<char*> with_environment(const std::vector<std::string>& added) {
  std::vector<char*> pointers = as_argv(added);
  pointers.pop_back();
  for (char** variable = environ; *variable != nullptr; ++variable) pointers.push_back(*variable);
  pointers.push_back(nullptr);
  return pointers;
}

/// Everything between fork and exec: nothing here may allocate or lock.
[[noreturn]] void become(char* const* argv, char* const* environment, const PassedFds& fds, int null_fd) {
  // A test that is killed for hanging must not leave its servers behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(null_fd, STDIN_FILENO);
  for (const auto& [from, to] : fds) {
    if (from == to) {
      fcntl(to, F_SETFD, 0);
    } else if (dup2(from, to) < 0) {
      _exit(127);
    }
  }
  execvpe(argv[0], argv, environment);
  _exit(127);
}

}  // namespace

pid_t start_program(const std::vector<std::string>& command, const PassedFds& fds,
                    const std::vector<std::string>& environment) {
  const std::vector<char*> argv = as_argv(command);
  const std::vector<char*> variables = with_environment(environment);
  const UniqueFd null_fd(open("/dev/null", O_RDWR | O_CLOEXEC));
  // posix_spawn cannot ask for the signal at the parent's death.
  const pid_t pid = fork();
  if (pid == 0) become(argv.data(), variables.data(), fds, null_fd.get());
  return pid;
}

int wait_for_end(pid_t pid, std::chrono::milliseconds time) {
  int status = -1;
  const bool ended = eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }, time);
  return ended ? status : -1;
}

std::string describe_end(int wait_status) {
  if (wait_status == -1) return "did not end in time";
  if (WIFEXITED(wait_status)) return "exit code " + std::to_string(WEXITSTATUS(wait_status));
  return "killed by signal " + std::to_string(WTERMSIG(wait_status)) + " (" + strsignal(WTERMSIG(wait_status)) + ")";
}

OutputFile::OutputFile() : fd_(memfd_create("output", MFD_CLOEXEC)) {
  CWEB_ASSERT(fd_);
}

std::string OutputFile::text() const {
  // Asked without moving the offset: the program shares it.
  struct stat status{};
  fstat(fd_.get(), &status);
  std::string text(static_cast<size_t>(status.st_size), '\0');
  const ssize_t count = pread(fd_.get(), text.data(), text.size(), 0);
  text.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return text;
}

Finished run_program(const std::vector<std::string>& command, const PassedFds& fds) {
  const OutputFile out;
  const OutputFile err;
  PassedFds passed{{out.fd(), STDOUT_FILENO}, {err.fd(), STDERR_FILENO}};
  passed.insert(passed.end(), fds.begin(), fds.end());
  const pid_t pid = start_program(command, passed);
  if (pid < 0) return {};
  const int status = wait_for_end(pid, 2 * patience);
  if (status == -1) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  Finished finished;
  if (status != -1 && WIFEXITED(status)) finished.exit_code = WEXITSTATUS(status);
  finished.out = out.text();
  finished.err = err.text();
  return finished;
}

}  // namespace cweb::e2e
