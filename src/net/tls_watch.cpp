#include "net/tls_watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/log.h"

namespace cweb::net {
namespace {

/// After a change the files are left alone for so long: whoever replaces one is about to replace the other.
constexpr int settle_ms = 200;
/// A pair that does not fit together for so long is a mistake and not one half of a change.
constexpr int64_t patience_ms = 3'000;
/// Network file systems tell of nobody's changes but one's own.
constexpr int look_anyway_ms = 60'000;

constexpr uint32_t changes_of_interest = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                         IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Expected<std::unique_ptr<TlsWatch>> TlsWatch::start(TlsCredentials& credentials) {
  UniqueFd changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  UniqueFd wakeup(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!changes || !wakeup) {
    return fail(std::string("changes of the certificate cannot be watched for: ") + std::strerror(errno));
  }
  return std::unique_ptr<TlsWatch>(new TlsWatch(credentials, std::move(changes), std::move(wakeup)));
}

TlsWatch::TlsWatch(TlsCredentials& credentials, UniqueFd changes, UniqueFd wakeup)
    : credentials_(credentials), changes_(std::move(changes)), wakeup_(std::move(wakeup)) {
  watch_directories();
  thread_ = std::thread([this] { work(); });
}

TlsWatch::~TlsWatch() {
  ending_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_.get(), &one, sizeof one);
  thread_.join();
}

void TlsWatch::reload() {
  reload_asked_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_.get(), &one, sizeof one);
}

/// Where the names stand, and where the links lead at the moment. A directory that is watched already stays watched.
void TlsWatch::watch_directories() {
  for (const std::string& path : {credentials_.files().certificate, credentials_.files().key}) {
    inotify_add_watch(changes_.get(), directory_of(path).c_str(), changes_of_interest);
    std::array<char, PATH_MAX> target;
    if (realpath(path.c_str(), target.data()) == nullptr) continue;
    inotify_add_watch(changes_.get(), directory_of(target.data()).c_str(), changes_of_interest);
  }
}

/// Empties what the kernel has to tell; was there anything?
bool TlsWatch::take_changes() const {
  alignas(inotify_event) std::array<char, 4096> events;
  bool any = false;
  while (read(changes_.get(), events.data(), events.size()) > 0) any = true;
  return any;
}

void TlsWatch::wait(int timeout_ms) const {
  std::array<pollfd, 2> entries{pollfd{changes_.get(), POLLIN, 0}, pollfd{wakeup_.get(), POLLIN, 0}};
  poll(entries.data(), entries.size(), timeout_ms);
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = read(wakeup_.get(), &count, sizeof count);
}

void TlsWatch::work() {
  pthread_setname_np(pthread_self(), "cweb-tls-files");
  while (!ending_) {
    int timeout_ms = look_anyway_ms;
    if (complaint_is_due_ms_)
      timeout_ms = static_cast<int>(std::max<int64_t>(*complaint_is_due_ms_ - monotonic_ms(), 0));
    wait(timeout_ms);
    if (ending_) return;
    const bool asked = reload_asked_.exchange(false);
    // A directory may see changes all the time that have nothing to do with the certificate: one look for all of them.
    if (!asked && take_changes()) {
      pollfd end{wakeup_.get(), POLLIN, 0};
      poll(&end, 1, settle_ms);
    }
    take_changes();
    // What stands there now may be another directory of the same name. Before reading: a change after that is told.
    watch_directories();
    renew(asked);
  }
}

void TlsWatch::renew(bool asked) {
  const CertificateFiles& files = credentials_.files();
  const auto renewal = credentials_.renew();
  if (!renewal) {
    const std::string& reason = renewal.error().message;
    const int64_t now = monotonic_ms();
    const bool is_known = !asked && reason == last_complaint_;
    if (!asked && !is_known) {
      if (!complaint_is_due_ms_) complaint_is_due_ms_ = now + patience_ms;
      if (now < *complaint_is_due_ms_) return;
    }
    complaint_is_due_ms_.reset();
    if (is_known) return;
    last_complaint_ = reason;
    log::error("the certificate is not renewed, and the one from before goes on being used: {}", reason);
    return;
  }
  complaint_is_due_ms_.reset();
  last_complaint_.clear();
  if (*renewal == TlsCredentials::Renewal::renewed) {
    log::info("new connections get the new certificate in {}", files.certificate);
    for (const std::string& warning : credentials_.current()->warnings()) log::warn("{}", warning);
  } else if (asked) {
    log::info("the certificate in {} has not changed", files.certificate);
  }
}

}  // namespace cweb::net
