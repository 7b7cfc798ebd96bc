#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "supervisor/notice.h"

namespace cweb::supervisor {
namespace {

constexpr int most_failed_starts = 5;
/// So often a module may be named: then it is quarantined, and none of its code runs. Once more for a death that could
/// not be noted.
constexpr int most_times_named = 3;
constexpr int first_fault_exit_code = 128;  ///< plus the signal's number: a death by it, as shells have it
constexpr int cannot_start = 127;

/// A child that has lived so long died of something new: the next one is started at once.
constexpr int64_t long_life_ms = 10'000;
constexpr int64_t first_pause_ms = 50;
constexpr int64_t longest_pause_ms = 500;  // so that with it a new process listens within a second

/// Those that are passed on. The child takes the first three itself, so it is born with them blocked and loses none.
constexpr std::array taken_by_child{SIGTERM, SIGINT, SIGHUP};
constexpr std::array fatal_to_child{SIGUSR1, SIGUSR2};

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (const int number : taken_by_child) sigaddset(&set, number);
  for (const int number : fatal_to_child) sigaddset(&set, number);
  return set;
}

void let_be_inherited(int fd) {
  fcntl(fd, F_SETFD, 0);
}

bool make_pipe(UniqueFd& read_end, UniqueFd& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return true;
}

bool make_memory_file(UniqueFd& file, const char* name) {
  file.reset(memfd_create(name, MFD_CLOEXEC));
  return static_cast<bool>(file);
}

bool fill_with_random(std::array<unsigned char, 32>& bytes) {
  return getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Expected<std::unique_ptr<Supervisor>> Supervisor::create(SupervisorOptions options) {
  if (options.listeners.sockets.size() > most_listeners || options.redirect_listeners.sockets.size() > most_listeners)
    return fail("more listening sockets than a child can take");
  for (const auto* key : {&options.admin_key, &options.read_key}) {
    if (*key && (*key)->size() > most_key_bytes) return fail("a key has more than 16 KiB");
  }
  std::unique_ptr<Supervisor> supervisor(new Supervisor(std::move(options)));
  if (auto made = supervisor->make_descriptors(); !made) return std::unexpected(made.error());
  supervisor->set_up_environment();
  return supervisor;
}

Supervisor::Supervisor(SupervisorOptions options)
    : arguments_(options.arguments),
      admin_key_(std::move(options.admin_key)),
      read_key_(std::move(options.read_key)),
      listeners_(std::move(options.listeners)),
      redirect_listeners_(std::move(options.redirect_listeners)),
      service_manager_(std::move(options.service_manager)) {
  setup_.key_was_made = options.key_was_made;
  // The standard ones stay open, as they do after the ready line of a server without a parent.
  if (options.ready_fd > STDERR_FILENO) ready_fd_.reset(options.ready_fd);
}

Expected<void> Supervisor::make_descriptors() {
  // Whoever may look at this process's memory or files would find the key there: now only root may.
  if (admin_key_ || read_key_) prctl(PR_SET_DUMPABLE, 0);
  const sigset_t awaited = awaited_signals();
  sigprocmask(SIG_BLOCK, &awaited, &child_mask_);
  for (const int number : taken_by_child) sigaddset(&child_mask_, number);
  signal(SIGPIPE, SIG_IGN);  // nobody may read what is said any more
  signal(SIGCHLD, SIG_DFL);  // ignored by whoever started this process, it would hide how a child ended
  signals_.reset(signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK));
  const bool made =
      signals_ && make_pipe(status_, status_for_child_) && make_pipe(key_for_child_, key_) &&
      make_memory_file(setup_file_, "cweb-child-setup") && make_memory_file(crash_note_, "cweb-crash-note") &&
      make_memory_file(journals_[0], "cweb-journal-0") && make_memory_file(journals_[1], "cweb-journal-1");
  if (!made || !fill_with_random(setup_.token_key)) {
    return fail(std::string("the server process cannot be looked after: ") + strerror(errno));
  }
  for (const UniqueFd* fd :
       {&status_for_child_, &key_for_child_, &setup_file_, &crash_note_, &journals_[0], &journals_[1]}) {
    let_be_inherited(fd->get());
  }
  for (const net::Listeners* listeners : {&listeners_, &redirect_listeners_}) {
    for (const UniqueFd& socket : listeners->sockets) let_be_inherited(socket.get());
  }
  if (ready_fd_) let_be_inherited(ready_fd_.get());
  return {};
}

void Supervisor::set_up_environment() {
  setup_.parent = getpid();
  setup_.port = listeners_.port;
  setup_.listener_count = listeners_.sockets.size();
  for (size_t i = 0; i < setup_.listener_count; ++i) setup_.listeners[i] = listeners_.sockets[i].get();
  setup_.redirect_port = redirect_listeners_.port;
  setup_.redirect_listener_count = redirect_listeners_.sockets.size();
  for (size_t i = 0; i < setup_.redirect_listener_count; ++i) {
    setup_.redirect_listeners[i] = redirect_listeners_.sockets[i].get();
  }
  for (size_t i = 0; i < journals_.size(); ++i) setup_.journals[i] = journals_[i].get();
  setup_.status = status_for_child_.get();
  setup_.crash_note = crash_note_.get();
  setup_.key = key_for_child_.get();
  if (admin_key_) setup_.key_bytes = static_cast<ssize_t>(admin_key_->size());
  if (read_key_) setup_.read_key_bytes = static_cast<ssize_t>(read_key_->size());
  setup_text_ = std::string(setup_variable) + "=" + std::to_string(setup_file_.get());
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    environment_.push_back(*variable);
  }
  environment_.push_back(setup_text_.data());
  environment_.push_back(nullptr);
}

int Supervisor::run() {
  const int exit_code = look_after_children();
  forget_keys();
  return exit_code;
}

int Supervisor::look_after_children() {
  start_child();
  for (;;) {
    wait_for_event();
    look_at_status();
    look_at_signals();
    if (const std::optional<int> exit_code = look_after_child()) return *exit_code;
  }
}

// ---------------------------------------------------------------------------------------------------- starting a child

void Supervisor::start_child() {
  child_is_ready_ = false;
  started_ms_ = monotonic_ms();
  put_keys();
  // What the last child left there has been read.
  [[maybe_unused]] const int emptied = ftruncate(crash_note_.get(), 0);
  lseek(crash_note_.get(), 0, SEEK_SET);
  if (!write_setup(setup_file_.get(), setup_)) {
    (Notice() << "no memory to start the server process").say();
    child_ = -1;
    return;
  }
  // vfork takes no memory, neither for a copy of this process nor for a stack.
  child_ = vfork();
  if (child_ == 0) become_child();
  if (child_ < 0) (Notice() << "cannot start the server process: " << strerrorname_np(errno)).say();
}

/// Between vfork and exec this process's memory is shared and its thread stands still: nothing here may change it.
[[noreturn]] void Supervisor::become_child() {
  // A group of its own: a terminal sends Ctrl-C to the whole group, and the child would get it twice.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != setup_.parent) _exit(cannot_start);
  sigprocmask(SIG_SETMASK, &child_mask_, nullptr);
  // Also when another file stands at its path by now: parent and child are of one build.
  execve("/proc/self/exe", arguments_, environment_.data());
  _exit(cannot_start);
}

void Supervisor::put_keys() {
  if (!admin_key_ && !read_key_) return;
  std::array<char, 4096> untaken;
  while (read(key_for_child_.get(), untaken.data(), untaken.size()) > 0) {
  }
  explicit_bzero(untaken.data(), untaken.size());
  for (const auto* key : {&admin_key_, &read_key_}) {
    if (!*key) continue;
    [[maybe_unused]] const ssize_t written = write(key_.get(), (*key)->data(), (*key)->size());
  }
}

void Supervisor::forget_keys() {
  if (!admin_key_ && !read_key_) return;
  for (auto* key : {&admin_key_, &read_key_}) {
    if (*key) explicit_bzero((*key)->data(), (*key)->size());
  }
  prctl(PR_SET_DUMPABLE, 1);
}

// ------------------------------------------------------------------------------------------------------------ waiting

void Supervisor::wait_for_event() const {
  std::array<pollfd, 2> entries{pollfd{signals_.get(), POLLIN, 0}, pollfd{status_.get(), POLLIN, 0}};
  int timeout_ms = -1;
  if (child_ < 0) timeout_ms = static_cast<int>(std::max<int64_t>(start_at_ms_ - monotonic_ms(), 0));
  poll(entries.data(), entries.size(), timeout_ms);
}

void Supervisor::look_at_status() {
  std::array<char, 16> bytes;
  const ssize_t count = read(status_.get(), bytes.data(), bytes.size());
  for (ssize_t i = 0; i < count; ++i) {
    switch (static_cast<StatusByte>(bytes[static_cast<size_t>(i)])) {
      case StatusByte::noted:
        setup_.died_in.fill('\0');
        break;
      case StatusByte::ready:
        child_is_ready_ = true;
        setup_.is_restart = true;
        setup_.last_end_is_named = false;
        setup_.failed_starts = failed_starts_ = times_named_ = 0;
        // Whoever waits there for the end of the file gets it.
        ready_fd_.reset();
        service_manager_.ready();
        break;
      case StatusByte::ending:
        begin_end();
        break;
    }
  }
}

void Supervisor::look_at_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) take_signal(static_cast<int>(info.ssi_signo));
}

void Supervisor::take_signal(int number) {
  if (number == SIGCHLD) return;
  if (number == SIGTERM || number == SIGINT) begin_end();
  if (child_ > 0) kill(child_, number);
}

void Supervisor::begin_end() {
  if (!is_ending_) service_manager_.stopping();
  is_ending_ = true;
  // While the child finishes what is running, nobody new shall wait for a server that will not come.
  for (net::Listeners* listeners : {&listeners_, &redirect_listeners_}) {
    for (UniqueFd& socket : listeners->sockets) socket.reset();
  }
}

// ----------------------------------------------------------------------------------------------------- a child's end

std::optional<int> Supervisor::look_after_child() {
  int status = 0;
  // As the first process of a container this one also gets the processes that nobody else takes.
  for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != child_) continue;
    if (const std::optional<int> exit_code = child_ended(status)) return exit_code;
  }
  if (child_ > 0) return std::nullopt;
  if (is_ending_) return 0;
  if (monotonic_ms() < start_at_ms_) return std::nullopt;
  start_child();
  if (child_ < 0) return child_ended(cannot_start << 8);
  return std::nullopt;
}

std::optional<int> Supervisor::child_ended(int wait_status) {
  // It may have become ready just before.
  look_at_status();
  const bool exited = WIFEXITED(wait_status);
  const int code = exited ? WEXITSTATUS(wait_status) : first_fault_exit_code + WTERMSIG(wait_status);
  if (is_ending_) return code;
  // What keeps the first child from starting is the user's to mend. What keeps a later one may pass. One that was ready
  // says it before it ends: without that, it was some exit() that nobody meant, whatever its code.
  if (exited && !setup_.is_restart && !child_is_ready_) return code;
  const bool is_named = take_crash_note();
  say_died(wait_status, is_named);
  // What the first of them died of is worth more to know than that another did not start.
  if (is_named || !setup_.last_end_is_named) {
    setup_.last_end = wait_status;
    setup_.last_end_is_named = is_named;
  }
  service_manager_.replacing();
  child_ = -1;
  if (!child_is_ready_) ++setup_.failed_starts;
  if (!child_is_ready_ && !finds_culprits(is_named) && ++failed_starts_ >= most_failed_starts) {
    (Notice() << "the server process ended " << long{most_failed_starts}
              << " times in a row before it was ready: giving up")
        .say();
    return 1;
  }
  plan_restart();
  return std::nullopt;
}

/// False when the child left no name. The name of an earlier one stays until a child has noted it.
bool Supervisor::take_crash_note() {
  std::array<char, most_name_bytes + 1> name{};
  if (pread(crash_note_.get(), name.data(), most_name_bytes, 0) <= 0 || name[0] == '\0') return false;
  setup_.died_in = name;
  return true;
}

/// Is the start that failed a step of the search for those that kill each new process? However many they are: each is
/// named twice and comes back quarantined then.
bool Supervisor::finds_culprits(bool is_named) {
  if (!is_named) return false;
  const bool is_same = strcmp(last_named_.data(), setup_.died_in.data()) == 0;
  last_named_ = setup_.died_in;
  times_named_ = is_same ? times_named_ + 1 : 1;
  return times_named_ <= most_times_named;
}

void Supervisor::say_died(int wait_status, bool is_named) const {
  Notice notice;
  notice << "the server process";
  if (child_ > 0) notice << " " << long{child_};
  if (WIFSIGNALED(wait_status)) {
    const char* const name = sigabbrev_np(WTERMSIG(wait_status));
    notice << " died of SIG" << (name == nullptr ? "?" : name);
  } else {
    notice << " ended with exit code " << long{WEXITSTATUS(wait_status)};
  }
  if (is_named) notice << " during a call of module " << setup_.died_in.data();
  notice << (child_is_ready_ ? "" : " before it was ready") << "; a new one is started";
  notice.say();
}

void Supervisor::plan_restart() {
  const int64_t now = monotonic_ms();
  if (now - started_ms_ >= long_life_ms) pause_ms_ = 0;
  start_at_ms_ = now + pause_ms_;
  pause_ms_ = std::min(std::max(2 * pause_ms_, first_pause_ms), longest_pause_ms);
}

}  // namespace cweb::supervisor
