// The example modules that come with a page and a WebSocket, used in a real browser as people would use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "deploying.h"
#include "driven_browser.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

/// The text with one place of it changed; the place has to be there.
std::string changed(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) {
    ADD_FAILURE() << "not in the module: " << from;
    return text;
  }
  return text.replace(at, from.size(), to);
}

class ModulePagesTest : public testing::Test {
 protected:
  void deploy_source(const std::string& source) {
    const DeployAnswer answer = deploy(server_.port(), source);
    ASSERT_TRUE(answer.deployed()) << answer;
  }
  std::string on_host(const std::string& host, const std::string& path) const {
    return "http://" + host + ":" + std::to_string(server_.port()) + path;
  }
  /// For people to look at.
  static std::string screenshot(const std::string& name) { return std::string(SCREENSHOTS) + "/" + name + ".png"; }

  ServerProcess server_;
};

class ChatPageTest : public ModulePagesTest {
 protected:
  void SetUp() override { deploy_source(chat_); }

  static void join(Tab& tab, const std::string& name) {
    tab.fill_in("name", name);
    tab.wait_until("document.body.dataset.opens === '1'");
  }
  static void say(Tab& tab, const std::string& text) { tab.fill_in("text", text); }
  /// Waits for a line of this class: mine, theirs or note. Of somebody else's, `text` is name and text.
  static void expect_line(Tab& tab, const std::string& kind, const std::string& text) {
    tab.wait_until("[...document.querySelectorAll('#said ." + kind +
                   "')].some(line => line.textContent === " + nlohmann::json(text).dump() + ")");
  }
  static void expect_here(Tab& tab, const std::string& text) {
    tab.wait_until("document.getElementById('here').textContent === '" + text + "'");
  }
  static std::string everything(Tab& tab) {
    return tab.evaluate("document.getElementById('said').innerText").get<std::string>();
  }
  static void expect_never_reconnected(Tab& tab) {
    EXPECT_EQ(tab.evaluate("document.body.dataset.opens"), nlohmann::json("1"));
    EXPECT_EQ(tab.evaluate("document.body.className"), nlohmann::json("live"));
  }

  const std::string chat_ = read_project_file("modules/chat.c");
  DrivenBrowser browser_{{"chat.example"}};
};

TEST_F(ChatPageTest, messages_cross_within_a_room_and_not_between_rooms) {
  // Two ways to the same server: the page finds its socket where it came from.
  Tab ada = browser_.open(server_.url("/chat?room=tea"));
  Tab bob = browser_.open(on_host("chat.example", "/chat?room=tea"));
  Tab cyd = browser_.open(server_.url("/chat?room=coffee%20%26%20cake"));
  EXPECT_EQ(cyd.evaluate("document.querySelector('h1').textContent"), nlohmann::json("coffee & cake"));

  join(ada, "Ada");
  expect_here(ada, "1 person here");
  join(cyd, "Cyd");
  join(bob, "Bob");
  for (Tab* tab : {&ada, &bob}) expect_here(*tab, "2 people here");
  expect_here(cyd, "1 person here");
  expect_line(ada, "note", "Bob came in.");

  say(ada, "Anyone for tea?");
  expect_line(ada, "mine", "Anyone for tea?");
  expect_line(bob, "theirs", "AdaAnyone for tea?");
  say(bob, "Always. \xf0\x9f\xab\x96 D\xc3\xb6nke!");
  expect_line(bob, "mine", "Always. \xf0\x9f\xab\x96 D\xc3\xb6nke!");
  expect_line(ada, "theirs", "BobAlways. \xf0\x9f\xab\x96 D\xc3\xb6nke!");

  bob.close();
  expect_line(ada, "note", "Bob left.");
  expect_here(ada, "1 person here");
  EXPECT_THAT(everything(cyd), testing::Not(testing::AnyOf(HasSubstr("Bob"), HasSubstr("tea"))));
}

TEST_F(ChatPageTest, what_somebody_types_is_text_and_never_markup) {
  Tab ada = browser_.open(server_.url("/chat"));
  Tab eve = browser_.open(server_.url("/chat"));
  join(ada, "Ada");
  join(eve, "<b>\"Eve\\&");
  const std::string attack = "<img src=x onerror=\"document.title='taken over'\"> &lt; \\u0000 \" ' </script>";
  say(eve, attack);
  expect_line(ada, "theirs", "<b>\"Eve\\&" + attack);
  expect_line(eve, "mine", attack);
  EXPECT_EQ(ada.evaluate("document.querySelectorAll('#said img, #said b b').length"), 0);
  EXPECT_EQ(ada.evaluate("document.title"), nlohmann::json("lobby - chat"));
}

TEST_F(ChatPageTest, deploys_in_between_are_not_noticed) {
  Tab ada = browser_.open(server_.url("/chat?room=tea"));
  Tab bob = browser_.open(server_.url("/chat?room=tea"));
  join(ada, "Ada");
  join(bob, "Bob");
  for (const char* version : {"second", "third", "fourth"}) {
    SCOPED_TRACE(version);
    // The name is what each version tells it to be: the sockets are old, the code is new.
    deploy_source(changed(chat_, "json_string(name_of(who))",
                          "json_sprintf(\"%s, " + std::string(version) + "\", name_of(who))"));
    const std::string text = std::string("after the ") + version;
    say(ada, text);
    expect_line(bob, "theirs", "Ada, " + std::string(version) + text);
    say(bob, text);
    expect_line(ada, "theirs", "Bob, " + std::string(version) + text);
    for (Tab* tab : {&ada, &bob}) expect_never_reconnected(*tab);
  }
  // Who was there before the deploys and who comes after them are in one room.
  Tab cyd = browser_.open(server_.url("/chat?room=tea"));
  join(cyd, "Cyd");
  for (Tab* tab : {&ada, &bob, &cyd}) expect_here(*tab, "3 people here");
  bob.close();
  expect_line(ada, "note", "Bob, fourth left.");
  expect_here(cyd, "2 people here");
  expect_never_reconnected(ada);
}

TEST_F(ChatPageTest, a_name_that_is_refused_can_be_changed) {
  Tab tab = browser_.open(server_.url("/chat"));
  tab.evaluate("document.getElementById('name').maxLength = 200");
  tab.fill_in("name", std::string(61, 'x'));
  expect_line(tab, "note", "Sorry, this name is too long.");
  tab.fill_in("name", "Ada");
  expect_here(tab, "1 person here");
}

TEST_F(ChatPageTest, looks_like_this) {
  Tab ada = browser_.open(server_.url("/chat?room=tea"));
  Tab bob = browser_.open(server_.url("/chat?room=tea"));
  ada.set_window_size(1000, 700);
  ada.save_screenshot(screenshot("chat_entrance"));
  join(ada, "Ada");
  join(bob, "Bob");
  say(bob, "Has anybody seen the kettle?");
  expect_line(ada, "theirs", "BobHas anybody seen the kettle?");
  say(bob, "It was here a minute ago, next to the very long sentence that has to be broken into several lines.");
  say(ada, "It is on the stove.");
  expect_line(bob, "theirs", "AdaIt is on the stove.");
  for (const char* scheme : {"light", "dark"}) {
    ada.prefer_color_scheme(scheme);
    ada.save_screenshot(screenshot(std::string("chat_") + scheme));
  }
  ada.set_window_size(360, 640);
  ada.save_screenshot(screenshot("chat_narrow"));
  EXPECT_EQ(ada.evaluate("document.documentElement.scrollWidth"), 360) << "the page is wider than the window";
}

class LifePageTest : public ModulePagesTest {
 protected:
  static long population(Tab& tab) { return tab.evaluate("population").get<long>(); }

  const std::string life_ = read_project_file("modules/life.c");
  DrivenBrowser browser_;
};

TEST_F(LifePageTest, the_picture_moves_also_across_a_deploy) {
  deploy_source(life_);
  Tab tab = browser_.open(server_.url("/life"));
  tab.set_window_size(900, 1000);
  tab.wait_until("frames >= 5");
  EXPECT_GT(population(tab), 1000);
  tab.evaluate("window.picture = () => [...new Uint32Array(pen.getImageData(0, 0, side, side).data.buffer)]");
  tab.wait_until("new Set(picture()).size > 20");
  tab.evaluate("window.before = picture(), 0");
  tab.wait_until("picture().filter((pixel, i) => pixel !== before[i]).length > 1000");
  for (const char* scheme : {"light", "dark"}) {
    tab.prefer_color_scheme(scheme);
    tab.evaluate("window.seen = frames");
    tab.wait_until("frames > seen + 30");
    tab.save_screenshot(screenshot(std::string("life_") + scheme));
  }

  tab.evaluate("window.first_socket = socket, window.reached = generation");
  deploy_source(changed(life_, "frame_ms = 50", "frame_ms = 49"));
  // Each version begins with generation 1.
  tab.wait_until("generation > 5 && generation < reached");
  EXPECT_EQ(tab.evaluate("socket === first_socket && socket.readyState"), 1);
}

TEST_F(LifePageTest, a_click_and_a_drag_make_cells_live) {
  // On an empty board, where nothing comes from nothing.
  deploy_source(changed(changed(life_, "scatter(frame.cells, 0, side, 0, words, &random);", ""),
                        "generations_a_seed = 96", "generations_a_seed = 1 << 30"));
  Tab tab = browser_.open(server_.url("/life"));
  Tab other = browser_.open(server_.url("/life"));
  tab.set_window_size(900, 1000);
  tab.wait_until("frames >= 3");
  EXPECT_EQ(population(tab), 0);

  const auto box = tab.evaluate("(({left, top, width}) => ({left, top, width}))(board.getBoundingClientRect())");
  const double left = box["left"], top = box["top"], width = box["width"];
  tab.click(left + width / 4, top + width / 4);
  tab.wait_until("population > 0");
  // A cell that lives there now, or did: within a few cells of a quarter of the board.
  tab.wait_until(
      "shades.some((shade, i) => shade > 0 && Math.abs(i % side - 128) < 8 && Math.abs(i / side - 128) < 8)");
  other.wait_until("population > 0");

  tab.drag(left + width / 4, top + width * 3 / 4, left + width * 3 / 4, top + width * 2 / 3);
  other.wait_until("population > 150");
  tab.save_screenshot(screenshot("life_drawn"));
}

TEST_F(ModulePagesTest, the_ticker_ticks_across_a_deploy) {
  const std::string ticker = read_project_file("modules/ticker.c");
  deploy_source(ticker);
  DrivenBrowser browser;
  Tab tab = browser.open(server_.url("/ticker"));
  tab.set_window_size(900, 600);
  tab.wait_until("values.length >= 10");
  EXPECT_THAT(tab.evaluate("document.getElementById('value').textContent").get<std::string>(),
              testing::MatchesRegex("[0-9]+\\.[0-9][0-9]"));
  deploy_source(changed(ticker, "double value = 100;", "double value = 200;"));
  tab.wait_until("values.filter(v => v > 150).length >= 20");
  EXPECT_EQ(tab.evaluate("values.some(v => v < 150)"), true) << "the socket of before is gone";
  tab.save_screenshot(screenshot("ticker"));
}

}  // namespace
}  // namespace cweb::e2e
