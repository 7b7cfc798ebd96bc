#include "mgnt/directory_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "store/file_name.h"
#include "store/files.h"

namespace cweb::mgnt {
namespace {

/// Editors save in several steps: write and rename, or remove and write anew. What is in between is nobody's module.
constexpr int64_t quiet_ms = 50;
/// A file that is written to without end is looked at all the same.
constexpr int64_t longest_wait_ms = 1000;

/// Attributes, too: a file may have become readable.
constexpr uint32_t watched =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | IN_ONLYDIR;

}  // namespace

Expected<std::unique_ptr<DirectoryWatch>> DirectoryWatch::start(const std::string& path, DirectorySync& sync) {
  UniqueFd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events || !wake || ::inotify_add_watch(events.get(), path.c_str(), watched) < 0) {
    return fail(fmt::format("{} cannot be watched ({}): files that are edited there are not picked up", path,
                            store::describe(errno)));
  }
  std::unique_ptr<DirectoryWatch> watch(new DirectoryWatch(path, sync, std::move(events), std::move(wake)));
  watch->has_lost_events_ = true;
  watch->thread_ = std::jthread([watch = watch.get()] { watch->work(); });
  return watch;
}

DirectoryWatch::~DirectoryWatch() {
  stop();
}

void DirectoryWatch::stop() {
  sync_.stop();
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void DirectoryWatch::work() {
  pthread_setname_np(pthread_self(), "directory-watch");
  for (;;) {
    bool has_events = false;
    const bool has_work = !touched_.empty() || has_lost_events_;
    if (!has_work && !wait(-1, has_events)) return;
    const int64_t end_ms = monotonic_ms() + longest_wait_ms;
    if (has_events) read_events();
    // Until nothing has happened for a moment.
    do {
      if (!wait(static_cast<int>(quiet_ms), has_events)) return;
      if (has_events) read_events();
    } while (has_events && monotonic_ms() < end_ms);
    const std::set<std::string> files = std::exchange(touched_, {});
    if (std::exchange(has_lost_events_, false)) {
      sync_.look_at_all();
    } else if (!files.empty()) {
      sync_.look_at(std::vector<std::string>(files.begin(), files.end()));
    }
  }
}

bool DirectoryWatch::wait(int time_ms, bool& has_events) const {
  std::array<pollfd, 2> fds{{{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), time_ms) < 0 && errno == EINTR) {
  }
  has_events = fds[0].revents != 0;
  return fds[1].revents == 0;
}

void DirectoryWatch::read_events() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(events_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    for (size_t at = 0; at < static_cast<size_t>(count);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const name = buffer.data() + at + sizeof event;
      if ((event.mask & IN_Q_OVERFLOW) != 0) has_lost_events_ = true;
      if ((event.mask & IN_IGNORED) != 0) log::error("the directory of modules is gone: nothing is picked up any more");
      const bool is_made = (event.mask & IN_CREATE) != 0;
      if (event.len > 0 && store::is_module_file(name) && (!is_made || is_complete(name))) touched_.insert(name);
      at += sizeof event + event.len;
    }
  }
}

/// A link is complete when it is made. A file that was made is written to yet, and closed.
bool DirectoryWatch::is_complete(const std::string& file) const {
  struct stat facts{};
  if (::lstat((path_ + "/" + file).c_str(), &facts) != 0) return true;
  return !S_ISREG(facts.st_mode) || facts.st_nlink > 1;
}

}  // namespace cweb::mgnt
