#include "supervisor/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "supervisor/child_setup.h"

namespace cweb::supervisor {
namespace {

/// From here on the descriptor is this process's alone, and module code may not close it.
UniqueFd own(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

std::optional<int> setup_descriptor() {
  const char* const value = getenv(setup_variable);
  if (value == nullptr) return std::nullopt;
  int fd = -1;
  std::from_chars(value, value + strlen(value), fd);
  unsetenv(setup_variable);
  return fd;
}

/// The parent has put all of it into the pipe before it started this process.
std::optional<std::string> read_key(int pipe, ssize_t bytes) {
  if (bytes < 0) return std::nullopt;
  std::string key(static_cast<size_t>(bytes), '\0');
  size_t length = 0;
  while (length < key.size()) {
    const ssize_t count = read(pipe, key.data() + length, key.size() - length);
    if (count <= 0) break;
    length += static_cast<size_t>(count);
  }
  CWEB_ASSERT(length == key.size());
  return key;
}

std::string describe_end(int wait_status, const std::string& module) {
  if (wait_status < 0) return {};
  std::string sentence = "the server process ";
  if (WIFSIGNALED(wait_status)) {
    const char* const name = sigabbrev_np(WTERMSIG(wait_status));
    sentence += std::string("died of SIG") + (name == nullptr ? "?" : name);
  } else {
    sentence += "ended with exit code " + std::to_string(WEXITSTATUS(wait_status));
  }
  if (!module.empty()) sentence += " during a call of module " + module;
  return sentence + "; this one has taken its place";
}

}  // namespace

Expected<std::optional<Child>> Child::adopt() {
  const std::optional<int> fd = setup_descriptor();
  if (!fd) return std::nullopt;
  ChildSetup setup;
  if (!read_setup(*fd, setup)) {
    return fail(std::string(setup_variable) +
                " is set by the server for its own child; take it out of the environment");
  }
  close(*fd);
  // The parent started this process by a path that names no program.
  prctl(PR_SET_NAME, "cweb");
  // In a process group of its own it would be stopped for writing to a terminal that does not want that.
  signal(SIGTTOU, SIG_IGN);
  Child child;
  child.supervisor_ = setup.parent;
  child.is_restart_ = setup.is_restart;
  child.follows_failed_start_ = setup.failed_starts > 0;
  child.died_in_ = setup.died_in.data();
  if (setup.last_end_is_named) child.last_end_in_ = child.died_in_;
  child.last_end_ = describe_end(setup.last_end, child.last_end_in_);
  child.listeners_.port = setup.port;
  for (size_t i = 0; i < setup.listener_count; ++i) child.listeners_.sockets.push_back(own(setup.listeners[i]));
  child.redirect_listeners_.port = setup.redirect_port;
  for (size_t i = 0; i < setup.redirect_listener_count; ++i) {
    child.redirect_listeners_.sockets.push_back(own(setup.redirect_listeners[i]));
  }
  for (size_t i = 0; i < setup.journals.size(); ++i) child.journals_[i] = own(setup.journals[i]);
  child.status_ = own(setup.status);
  child.crash_note_ = own(setup.crash_note);
  const UniqueFd key = own(setup.key);
  child.admin_key_ = read_key(key.get(), setup.key_bytes);
  child.read_key_ = read_key(key.get(), setup.read_key_bytes);
  child.key_was_made_ = setup.key_was_made;
  child.token_key_ = setup.token_key;
  return child;
}

void Child::say(char what) const {
  [[maybe_unused]] const ssize_t written = write(status_.get(), &what, 1);
}

void Child::say_noted() const {
  say(static_cast<char>(StatusByte::noted));
}

void Child::say_ready() const {
  say(static_cast<char>(StatusByte::ready));
}

void Child::say_ending() const {
  say(static_cast<char>(StatusByte::ending));
}

}  // namespace cweb::supervisor
