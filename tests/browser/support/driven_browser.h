// A browser that a test drives like a person: opens tabs, types, clicks, reads what is there and takes pictures. It is
// Chromium's DevTools protocol over a socket: objects of JSON with a NUL behind each. Used by the test's thread; what
// does not come within `patience` fails the test.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "browser.h"

namespace cweb::e2e {

class DrivenBrowser;

/// One page. Closed with its browser, which outlives it.
class Tab {
 public:
  /// The value of a JavaScript expression, awaited if it is a promise. An exception fails the test: null.
  nlohmann::json evaluate(const std::string& expression);
  /// Evaluates the expression until it is true; fails the test when that takes too long.
  bool wait_until(const std::string& expression);

  /// Types into the field with this id, in place of what is there, and presses Enter.
  void fill_in(const std::string& id, const std::string& text);
  /// Positions are in CSS pixels of the page.
  void click(double x, double y);
  /// Button down at the first place, up at the second one.
  void drag(double from_x, double from_y, double to_x, double to_y);

  /// As if the person's system was set to "dark" or "light".
  void prefer_color_scheme(const std::string& scheme);
  void set_window_size(int width, int height);
  /// Brings the tab to the front and writes a PNG of what can be seen of it.
  void save_screenshot(const std::string& path);
  /// As a person closes it; the tab is of no use afterwards.
  void close();

 private:
  friend class DrivenBrowser;
  Tab(DrivenBrowser& browser, std::string target, std::string session)
      : browser_(browser), target_(std::move(target)), session_(std::move(session)) {}

  nlohmann::json command(const std::string& method, nlohmann::json parameters);
  void mouse(const char* what, double x, double y, bool pressed);

  DrivenBrowser& browser_;
  const std::string target_;
  const std::string session_;
};

class DrivenBrowser {
 public:
  /// Each of `names` leads to 127.0.0.1. `further`: arguments of Chromium.
  explicit DrivenBrowser(const std::vector<std::string>& names = {}, const std::vector<std::string>& further = {});

  /// Returns when the page is loaded.
  Tab open(const std::string& url);
  std::string log() const { return browser_.log(); }

 private:
  friend class Tab;
  /// The two ends of a socket.
  struct Control {
    Control();
    UniqueFd ours, theirs;
  };

  /// The result; an empty object when the test has failed.
  nlohmann::json command(const std::string& method, nlohmann::json parameters, const std::string& session = {});
  bool send(std::string_view bytes);
  /// Takes events until one of this method has all of these parameters.
  void wait_for_event(const std::string& method, const nlohmann::json& parameters);
  /// The next answer or event; null when none came in time.
  nlohmann::json next_message();

  Control control_;
  Browser browser_;
  std::string received_;
  std::deque<nlohmann::json> events_;  ///< what came while an answer was waited for
  int last_id_ = 0;
  bool failed_ = false;  ///< a command was not carried out, or an expression cannot be evaluated
};

}  // namespace cweb::e2e
