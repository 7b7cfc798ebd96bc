// Starts a helper, talks to it, and ends it. Whatever thread uses the helper at that moment.
#include "jit/helper_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/clock.h"

namespace cweb::jit {
namespace {

constexpr int helper_fd = 3;
constexpr int64_t ready_within_ns = int64_t{60} * 1'000'000'000;

/// The helper's environment: the server's without what is meant for the server, such as its key.
std::vector<char*> helper_environment() {
  std::vector<char*> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("CWEB_")) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

Expected<pid_t> spawn_helper(int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, helper_fd);
  posix_spawn_file_actions_addclosefrom_np(&actions, helper_fd + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t every;
  sigfillset(&every);
  posix_spawnattr_setsigdefault(&attributes, &every);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::string name = "cweb", command = "compile-helper", option = "--fd", number = std::to_string(helper_fd);
  const std::array<char*, 5> arguments{name.data(), command.data(), option.data(), number.data(), nullptr};
  const std::vector<char*> environment = helper_environment();
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    return fail(fmt::format("cannot start the compile helper (/proc/self/exe): {}", std::strerror(error)));
  return pid;
}

HelperAnswer rejected(std::string sentence) {
  CompileFailure failure;
  failure.rendered = fmt::format("error: {}\n", sentence);
  Diagnostic diagnostic;
  diagnostic.message = std::move(sentence);
  failure.diagnostics.push_back(std::move(diagnostic));
  return {std::unexpected(std::move(failure)), /*last=*/true};
}

std::string size_text(size_t bytes) {
  constexpr size_t gib = size_t{1} << 30;
  return bytes % gib == 0 ? fmt::format("{} GiB", bytes / gib) : fmt::format("{} MiB", bytes >> 20);
}

std::string limit_sentence(std::string_view words, const CompileLimits& limits) {
  switch (limit_of(words)) {
    case LimitReached::memory:
      return fmt::format("the compiler ran out of memory (limit {}): the source, or a macro in it, expands to too much",
                         size_text(limits.memory_bytes));
    case LimitReached::stack:
      return "the compiler ran out of stack: the source nests too deeply, or one expression has too many terms";
    case LimitReached::cpu:
      return fmt::format(
          "the compiler used more than {} s of processor time: the source, or a macro in it, expands to too "
          "much",
          limits.cpu.count());
    case LimitReached::fatal:
      return fmt::format("the compiler gave up: {}",
                         words.substr(std::min(words.size(), word_of(LimitReached::fatal).size() + 1)));
    case LimitReached::crash:
      break;
  }
  return "the compiler crashed on this source";
}

}  // namespace

Expected<std::unique_ptr<HelperProcess>> HelperProcess::spawn(const CompilerOptions& options) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(fmt::format("cannot make a socket for the compile helper: {}", std::strerror(errno)));
  }
  UniqueFd own(ends[0]);
  const UniqueFd theirs(ends[1]);
  const Expected<pid_t> pid = spawn_helper(theirs.get());
  if (!pid) return std::unexpected(pid.error());
  std::unique_ptr<HelperProcess> helper(new HelperProcess(*pid, std::move(own)));
  // If it is gone already, waiting for it says so.
  send_frame(helper->socket_.get(), FrameKind::options, encode_options(options));
  return helper;
}

HelperProcess::~HelperProcess() {
  end();
}

void HelperProcess::end() {
  socket_.reset();
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  // ECHILD: somebody else in this process took the status.
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

bool HelperProcess::has_word() const {
  return has_event(POLLIN);
}

bool HelperProcess::has_event(short events) const {
  pollfd entry{socket_.get(), events, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Expected<void> HelperProcess::wait_until_ready() {
  const auto frame = receive_frame(socket_.get(), monotonic_ns() + ready_within_ns);
  if (frame && frame->kind == FrameKind::ready) return {};
  end();
  if (frame && frame->kind == FrameKind::failed) return fail(frame->text);
  if (!frame && frame.error() == ReceiveError::timeout) return fail("the compile helper was not ready within 60 s");
  return fail("the compile helper ended before it was ready");
}

std::expected<HelperAnswer, HelperProcess::Gone> HelperProcess::compile(std::string_view source,
                                                                        const CompileLimits& limits) {
  const int64_t deadline_ns = monotonic_ns() + std::chrono::nanoseconds(limits.wall).count();
  if (has_hung_up() || !send_frame(socket_.get(), FrameKind::compile, source)) {
    end();
    return std::unexpected(Gone::before);
  }
  auto frame = receive_frame(socket_.get(), deadline_ns);
  if (frame && frame->kind == FrameKind::compiled) {
    Expected<HelperAnswer> answer = decode_answer(std::move(*frame));
    if (answer && !answer->last) return std::move(*answer);
    end();
    if (answer) return std::move(*answer);
    return std::unexpected(Gone::during);
  }
  end();
  if (frame && frame->kind == FrameKind::limit) return rejected(limit_sentence(frame->text, limits));
  if (!frame && frame.error() == ReceiveError::timeout) {
    return rejected(
        fmt::format("the compiler took longer than {:.3g} s: the source, or a macro in it, expands to too much",
                    std::chrono::duration<double>(limits.wall).count()));
  }
  return std::unexpected(Gone::during);
}

}  // namespace cweb::jit
