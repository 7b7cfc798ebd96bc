// A real browser for one page: headless Chromium with an empty profile of its own, which makes no requests but those of
// the page. Used by the test's thread; a test whose browser cannot be started fails.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "child_process.h"

namespace cweb::e2e {

class Browser {
 public:
  /// Opens the page. Each of `names` leads to 127.0.0.1 for this browser, whatever port is asked for.
  explicit Browser(const std::string& url, const std::vector<std::string>& names = {});
  /// Opens no page, and does what it is told over this socket (DevTools protocol, see driven_browser.h).
  /// `further`: arguments of Chromium.
  explicit Browser(int control_fd, const std::vector<std::string>& names = {},
                   const std::vector<std::string>& further = {});
  /// Ends the browser and removes its profile.
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  std::string log() const { return log_.text(); }

 private:
  void start(const std::vector<std::string>& arguments, PassedFds fds);

  OutputFile log_;
  std::string profile_;  ///< a directory
  pid_t pid_ = -1;
};

}  // namespace cweb::e2e
