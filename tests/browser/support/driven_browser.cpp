#include "driven_browser.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "base/error.h"
#include "pace.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;

/// A descriptor out of the way of those that a program gets.
UniqueFd moved_up(int fd) {
  const UniqueFd low(fd);
  UniqueFd high(fcntl(fd, F_DUPFD_CLOEXEC, 100));
  CWEB_ASSERT(high);
  return high;
}

bool readable_within(int fd, std::chrono::milliseconds time) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

std::string decoded_base64(const std::string& text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t value = alphabet.find(c);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

}  // namespace

DrivenBrowser::Control::Control() {
  int ends[2];
  CWEB_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  ours = moved_up(ends[0]);
  theirs = moved_up(ends[1]);
}

DrivenBrowser::DrivenBrowser(const std::vector<std::string>& names, const std::vector<std::string>& further)
    : browser_(control_.theirs.get(), names, further) {
  // The browser's alone from now on: when it is gone, the socket says so.
  control_.theirs.reset();
}

Tab DrivenBrowser::open(const std::string& url) {
  const std::string target = command("Target.createTarget", {{"url", "about:blank"}}).value("targetId", "");
  const json attached = command("Target.attachToTarget", {{"targetId", target}, {"flatten", true}});
  Tab tab(*this, target, attached.value("sessionId", ""));
  tab.command("Page.enable", json::object());
  // Typing goes to the tab, whichever one is in front.
  tab.command("Emulation.setFocusEmulationEnabled", {{"enabled", true}});
  tab.command("Page.setLifecycleEventsEnabled", {{"enabled", true}});
  const json navigation = tab.command("Page.navigate", {{"url", url}});
  EXPECT_FALSE(navigation.contains("errorText")) << url << ": " << navigation;
  wait_for_event("Page.lifecycleEvent", {{"loaderId", navigation.value("loaderId", "")}, {"name", "load"}});
  return tab;
}

json DrivenBrowser::command(const std::string& method, json parameters, const std::string& session) {
  json message = {{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
  if (!session.empty()) message["sessionId"] = session;
  std::string bytes = message.dump();
  bytes += '\0';
  json answer = send(bytes) ? next_message() : json();
  while (answer.is_object() && !answer.contains("id")) {
    events_.push_back(std::move(answer));
    answer = next_message();
  }
  if (!answer.is_object() || answer["id"] != last_id_ || !answer.contains("result")) {
    failed_ = true;
    ADD_FAILURE() << method << ": " << (answer.is_null() ? "no answer" : answer.dump()) << "\n" << log();
    return json::object();
  }
  return answer["result"];
}

bool DrivenBrowser::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(control_.ours.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void DrivenBrowser::wait_for_event(const std::string& method, const json& parameters) {
  for (;;) {
    json event;
    if (!events_.empty()) {
      event = std::move(events_.front());
      events_.pop_front();
    } else {
      event = next_message();
    }
    if (!event.is_object()) {
      ADD_FAILURE() << "there was no " << method << " with " << parameters << "\n" << log();
      return;
    }
    if (event["method"] != method) continue;
    json merged = event["params"];
    merged.update(parameters);
    if (merged == event["params"]) return;
  }
}

json DrivenBrowser::next_message() {
  const auto end = std::chrono::steady_clock::now() + 2 * patience;
  for (;;) {
    if (const size_t mark = received_.find('\0'); mark != std::string::npos) {
      json message = json::parse(received_.substr(0, mark), nullptr, /*allow_exceptions=*/false);
      received_.erase(0, mark + 1);
      return message;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() < 0 || !readable_within(control_.ours.get(), left)) return nullptr;
    char bytes[65536];
    const ssize_t count = read(control_.ours.get(), bytes, sizeof bytes);
    if (count <= 0) return nullptr;
    received_.append(bytes, static_cast<size_t>(count));
  }
}

json Tab::command(const std::string& method, json parameters) {
  return browser_.command(method, std::move(parameters), session_);
}

json Tab::evaluate(const std::string& expression) {
  const json answer =
      command("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (answer.contains("exceptionDetails")) {
    browser_.failed_ = true;
    ADD_FAILURE() << expression << ": " << answer["exceptionDetails"].dump();
    return nullptr;
  }
  return answer.contains("result") ? answer["result"].value("value", json()) : json();
}

bool Tab::wait_until(const std::string& expression) {
  bool came = false;
  // What cannot be asked has failed the test already.
  eventually([&] { return (came = evaluate(expression) == json(true)) || browser_.failed_; }, 2 * patience);
  EXPECT_TRUE(came) << "never came true: " << expression
                    << "\nthe page says: " << evaluate("document.body.innerText").dump();
  return came;
}

void Tab::fill_in(const std::string& id, const std::string& text) {
  EXPECT_EQ(evaluate("document.getElementById('" + id + "').select(), document.activeElement.id"), id);
  command("Input.insertText", {{"text", text}});
  for (const char* what : {"keyDown", "keyUp"}) {
    command("Input.dispatchKeyEvent",
            {{"type", what}, {"key", "Enter"}, {"code", "Enter"}, {"text", "\r"}, {"windowsVirtualKeyCode", 13}});
  }
}

void Tab::mouse(const char* what, double x, double y, bool pressed) {
  command("Input.dispatchMouseEvent", {{"type", what},
                                       {"x", x},
                                       {"y", y},
                                       {"button", pressed ? "left" : "none"},
                                       {"buttons", pressed ? 1 : 0},
                                       {"clickCount", pressed ? 1 : 0}});
}

void Tab::click(double x, double y) {
  drag(x, y, x, y);
}

void Tab::drag(double from_x, double from_y, double to_x, double to_y) {
  constexpr int steps = 8;
  mouse("mouseMoved", from_x, from_y, false);
  mouse("mousePressed", from_x, from_y, true);
  for (int i = 1; i <= steps && (to_x != from_x || to_y != from_y); ++i) {
    mouse("mouseMoved", from_x + (to_x - from_x) * i / steps, from_y + (to_y - from_y) * i / steps, true);
  }
  mouse("mouseReleased", to_x, to_y, true);
}

void Tab::prefer_color_scheme(const std::string& scheme) {
  command("Emulation.setEmulatedMedia",
          {{"features", json::array({{{"name", "prefers-color-scheme"}, {"value", scheme}}})}});
}

void Tab::set_window_size(int width, int height) {
  command("Emulation.setDeviceMetricsOverride",
          {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

void Tab::save_screenshot(const std::string& path) {
  browser_.command("Target.activateTarget", {{"targetId", target_}});
  const json picture = command("Page.captureScreenshot", {{"format", "png"}});
  std::ofstream file(path, std::ios::binary);
  file << decoded_base64(picture.value("data", ""));
  EXPECT_TRUE(file.flush()) << path << " cannot be written";
}

void Tab::close() {
  browser_.command("Target.closeTarget", {{"targetId", target_}});
}

}  // namespace cweb::e2e
