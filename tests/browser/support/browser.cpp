#include "browser.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <system_error>

#include "pace.h"

namespace cweb::e2e {
namespace {

/// Where Debian's package puts it.
constexpr const char* chromium = "/usr/bin/chromium";

// The sandbox needs rights that containers and root do not have; the pages are the test's own. A page goes on at full
// speed when it is behind another one.
constexpr const char* always[] = {
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--disable-features=HttpsUpgrades,Translate,OptimizationHints,MediaRouter",
};

std::string make_directory() {
  std::string path = testing::TempDir() + "cweb_browser_XXXXXX";
  return mkdtemp(path.data()) == nullptr ? std::string() : path;
}

std::string resolver_rules(const std::vector<std::string>& names) {
  std::string rules;
  for (const std::string& name : names) rules += "MAP " + name + " 127.0.0.1,";
  // Nothing else is looked up: the browser's own errands end here.
  return "--host-resolver-rules=" + rules + "MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost";
}

}  // namespace

Browser::Browser(const std::string& url, const std::vector<std::string>& names) : profile_(make_directory()) {
  start({resolver_rules(names), url}, {});
}

Browser::Browser(int control_fd, const std::vector<std::string>& names, const std::vector<std::string>& further)
    : profile_(make_directory()) {
  std::vector<std::string> arguments{resolver_rules(names), "--remote-debugging-pipe"};
  arguments.insert(arguments.end(), further.begin(), further.end());
  // It reads commands at one descriptor and writes answers at another one.
  start(arguments, {{control_fd, 3}, {control_fd, 4}});
}

void Browser::start(const std::vector<std::string>& arguments, PassedFds fds) {
  EXPECT_NE(profile_, "") << "no directory for the browser's profile";
  EXPECT_EQ(access(chromium, X_OK), 0) << chromium << " is missing: cmake/install-dependencies test";
  std::vector<std::string> command{chromium};
  command.insert(command.end(), std::begin(always), std::end(always));
  command.push_back("--user-data-dir=" + profile_);
  command.insert(command.end(), arguments.begin(), arguments.end());
  // Ahead of the others, one of which may take the log's own place.
  fds.insert(fds.begin(), {{log_.fd(), STDOUT_FILENO}, {log_.fd(), STDERR_FILENO}});
  pid_ = start_program(command, fds, {"HOME=" + profile_, "XDG_CONFIG_HOME=" + profile_, "XDG_CACHE_HOME=" + profile_});
}

Browser::~Browser() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    if (wait_for_end(pid_, patience) == -1) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  if (profile_.empty()) return;
  // Its helper processes end a moment after it and may still be writing.
  EXPECT_TRUE(eventually([&] {
    std::error_code error;
    std::filesystem::remove_all(profile_, error);
    return !error;
  }));
}

}  // namespace cweb::e2e
