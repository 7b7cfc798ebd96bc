// The modules that people begin with: every one of them deploys in each way that its README promises, and those with a
// WebSocket do what their first comment says. What their pages look like and do is tested in tests/browser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "server_process.h"
#include "websocket_client.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> example_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(project_file("modules"))) {
    if (entry.path().extension() == ".c") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string example(const std::string& name) {
  return read_project_file("modules/" + name + ".c");
}

/// The text with one place of it changed; the place has to be there.
std::string changed(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "not in the module: " << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class ExampleModulesTest : public testing::Test {
 protected:
  DeployAnswer deploy_source(const std::string& source) {
    const DeployAnswer answer = deploy(client_, source);
    EXPECT_TRUE(answer.deployed()) << answer;
    return answer;
  }
  /// Older versions end by themselves: their threads have been joined then.
  bool old_versions_go(const std::string& name) {
    return eventually([&] { return draining_versions(client_, name) == 0; });
  }

  ServerProcess server_;
  HttpClient client_{server_.port()};
};

TEST_F(ExampleModulesTest, each_deploys_without_a_warning_under_the_name_of_its_file) {
  const std::vector<std::string> names = example_names();
  for (const std::string& name : names) {
    const DeployAnswer answer = deploy_source(example(name));
    EXPECT_THAT(answer.report["diagnostics"], SizeIs(0)) << name << ": " << answer;
  }
  EXPECT_THAT(json::parse(client_.get("/mgnt").body)["modules"], SizeIs(names.size()));
  for (const std::string& name : names) EXPECT_FALSE(module_status(client_, name).is_null()) << name;
}

TEST_F(ExampleModulesTest, each_deploys_when_curl_has_deleted_its_newlines) {
  for (const std::string& name : example_names()) {
    std::string source = example(name);
    std::erase(source, '\n');
    const HttpResponse answer = client_.post("/mgnt", source, {{"Content-Type", "application/x-www-form-urlencoded"}});
    EXPECT_EQ(answer.status, 200) << name << ": " << answer.body;
  }
}

// ------------------------------------------------------------------------------------------------------------ echo.c

TEST_F(ExampleModulesTest, echo_sends_text_and_bytes_back) {
  deploy_source(example("echo"));
  WebSocketClient socket(server_.port(), "/echo");
  EXPECT_EQ(socket.exchange("hello"), "hello");
  const std::string bytes("\x00\xff\x80", 3);
  socket.send_binary(bytes);
  EXPECT_EQ(socket.read_binary(), bytes);
  EXPECT_EQ(socket.exchange(""), "");
  EXPECT_EQ(socket.close().code, 1000);
}

// ------------------------------------------------------------------------------------------------------------ chat.c

class ChatModuleTest : public ExampleModulesTest {
 protected:
  ChatModuleTest() { deploy_source(example("chat")); }

  std::unique_ptr<WebSocketClient> join(const std::string& room, const std::string& name) const {
    return std::make_unique<WebSocketClient>(server_.port(), "/chat?room=" + room + "&name=" + name);
  }
  static json next_event(WebSocketClient& socket) { return json::parse(socket.read_text(), nullptr, false); }
};

TEST_F(ChatModuleTest, everybody_in_a_room_is_told_the_same) {
  const auto ada = join("tea", "Ada");
  EXPECT_EQ(next_event(*ada), json::parse(R"({"what": "joined", "name": "Ada", "here": 1, "mine": true})"));
  const auto bob = join("tea", "Bob");
  EXPECT_EQ(next_event(*ada), json::parse(R"({"what": "joined", "name": "Bob", "here": 2})"));
  EXPECT_EQ(next_event(*bob), json::parse(R"({"what": "joined", "name": "Bob", "here": 2, "mine": true})"));

  bob->send_text("\"quoted\" \\ and \t more");
  const json said = json{{"what", "said"}, {"name", "Bob"}, {"text", "\"quoted\" \\ and \t more"}};
  EXPECT_EQ(next_event(*ada), said);
  json mine = said;
  mine["mine"] = true;
  EXPECT_EQ(next_event(*bob), mine);

  EXPECT_EQ(bob->close().code, 1000);
  EXPECT_EQ(next_event(*ada), json::parse(R"({"what": "left", "name": "Bob", "here": 1})"));
}

TEST_F(ChatModuleTest, who_has_no_name_or_no_manners_is_sent_away) {
  EXPECT_EQ(WebSocketClient(server_.port(), "/chat").read_close().reason, "a name is missing");
  EXPECT_EQ(join("tea", std::string(61, 'x'))->read_close().reason, "this name is too long");
  EXPECT_EQ(join("tea", "%ff")->read_close().reason, "this name is not UTF-8");
  const auto ada = join("tea", "Ada");
  EXPECT_EQ(next_event(*ada)["here"], 1) << "who was sent away is counted";
  ada->send_text(std::string(2001, 'x'));
  const CloseSeen seen = ada->read_close();
  EXPECT_EQ(seen.code, 1008);
  EXPECT_EQ(seen.reason, "this is too long for a chat");
}

TEST_F(ChatModuleTest, people_come_and_go_while_others_talk_and_versions_change) {
  constexpr int visitors = 4;
  const int visits = repetitions(40, 10);
  const auto ada = join("tea", "Ada");
  std::vector<std::jthread> threads;
  for (int i = 0; i < visitors; ++i) {
    threads.emplace_back([&, i] {
      for (int visit = 0; visit < visits; ++visit) {
        const auto guest = join("tea", "guest" + std::to_string(i));
        guest->send_text("hello " + std::to_string(visit));
        // Its own words come back behind whatever else there was to hear.
        for (json event = next_event(*guest); event.is_object(); event = next_event(*guest)) {
          if (event["what"] == "said" && event.contains("mine")) break;
        }
      }
    });
  }
  std::vector<int> heard(visitors);
  int joined = 0, left = 0;
  for (int number = 0; left < visitors * visits; ++number) {
    if (number % 50 == 0) deploy_source(example("chat") + "/* " + std::to_string(number) + " */\n");
    const json event = next_event(*ada);
    ASSERT_TRUE(event.is_object());
    if (event["what"] == "joined") ++joined;
    if (event["what"] == "left") ++left;
    if (event["what"] != "said") continue;
    // What one person says comes in order, and nothing of it is lost.
    const int guest = event["name"].get<std::string>().back() - '0';
    EXPECT_EQ(event["text"], "hello " + std::to_string(heard.at(static_cast<size_t>(guest))++));
  }
  EXPECT_EQ(joined, 1 + visitors * visits);
  for (const int count : heard) EXPECT_EQ(count, visits);
  const auto bob = join("tea", "Bob");
  EXPECT_EQ(next_event(*bob)["here"], 2);
  EXPECT_TRUE(old_versions_go("chat"));
}

// ---------------------------------------------------------------------------------------------------------- ticker.c

/// Reads texts until one of them fits; false when the socket ends or none comes in time.
template <class Condition>
bool comes_to(WebSocketClient& socket, Condition fits) {
  bool ended = false;
  return eventually([&] {
           const std::string text = socket.read_text();
           ended = text.empty();
           return ended || fits(text);
         }) &&
         !ended;
}

TEST_F(ExampleModulesTest, the_ticker_tells_everybody_the_same_and_its_thread_ends_with_its_version) {
  deploy_source(example("ticker"));
  WebSocketClient first(server_.port(), "/ticker");
  WebSocketClient second(server_.port(), "/ticker");
  const std::string value = second.read_text();
  EXPECT_THAT(value, testing::MatchesRegex("[0-9]+\\.[0-9][0-9]"));
  EXPECT_TRUE(comes_to(first, [&](const std::string& text) { return text == value; })) << "never told " << value;

  for (int version = 2; version <= 5; ++version) {
    deploy_source(
        changed(example("ticker"), "double value = 100;", "double value = " + std::to_string(version) + "00;"));
    EXPECT_TRUE(old_versions_go("ticker"));
    // The threads of before are gone: from here on the values are the new one's, on the old sockets.
    EXPECT_TRUE(comes_to(first, [&](const std::string& text) {
      return std::abs(std::strtod(text.c_str(), nullptr) - version * 100) < 50;
    }));
  }
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/ticker").status, 200);
  std::optional<ServerFrame> frame = second.read_frame();
  while (frame && frame->bits.opcode == opcode::text) frame = second.read_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->close_code(), 1001);
}

// ------------------------------------------------------------------------------------------------------------ life.c

/// A frame as life.c sends it.
struct LifeFrame {
  uint32_t generation = 0, watchers = 0;
  std::string cells;

  explicit LifeFrame(const std::string& bytes) {
    constexpr size_t head = 2 * sizeof(uint32_t);
    EXPECT_EQ(bytes.size(), head + 512 * 512 / 8);
    if (bytes.size() < head) return;
    std::memcpy(&generation, bytes.data(), sizeof generation);
    std::memcpy(&watchers, bytes.data() + sizeof generation, sizeof watchers);
    cells = bytes.substr(head);
  }
  bool lives(size_t x, size_t y) const { return (cells.at((y * 512 + x) / 8) >> (x % 8) & 1) != 0; }
  long population() const {
    long count = 0;
    for (const char byte : cells) count += __builtin_popcount(static_cast<unsigned char>(byte));
    return count;
  }
};

/// Reads frames until one of them fits; nothing when the socket ends or none comes in time.
template <class Condition>
std::optional<LifeFrame> frame_that(WebSocketClient& socket, Condition fits) {
  std::optional<LifeFrame> frame;
  const bool came = eventually([&] {
    const std::string bytes = socket.read_binary();
    frame = bytes.empty() ? std::optional<LifeFrame>() : LifeFrame(bytes);
    return !frame || fits(*frame);
  });
  return came ? frame : std::nullopt;
}

/// On an empty board, where nothing comes from nothing.
std::string empty_life() {
  return changed(changed(example("life"), "scatter(frame.cells, 0, side, 0, words, &random);", ""),
                 "generations_a_seed = 96", "generations_a_seed = 1 << 30");
}

std::string cells_message(const std::vector<std::pair<uint16_t, uint16_t>>& cells) {
  std::string message;
  for (const auto& [x, y] : cells) {
    for (const uint16_t number : {x, y}) {
      message += static_cast<char>(number & 0xff);
      message += static_cast<char>(number >> 8);
    }
  }
  return message;
}

TEST_F(ExampleModulesTest, life_computes_what_is_sown_across_the_edges) {
  deploy_source(empty_life());
  WebSocketClient socket(server_.port(), "/life");
  EXPECT_EQ(LifeFrame(socket.read_binary()).population(), 0);
  // Three in a row turn by a quarter with each generation: these around the corner where all edges meet.
  socket.send_binary(cells_message({{511, 0}, {0, 0}, {1, 0}}));
  auto frame = frame_that(socket, [](const LifeFrame& seen) { return seen.population() > 0; });
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->watchers, 1U);
    EXPECT_EQ(frame->population(), 3);
    const bool upright = frame->lives(0, 1);
    EXPECT_TRUE(frame->lives(0, 0));
    EXPECT_EQ(frame->lives(0, 511), upright);
    EXPECT_EQ(frame->lives(1, 0), !upright);
    EXPECT_EQ(frame->lives(511, 0), !upright);
    const uint32_t generation = frame->generation;
    frame = frame_that(socket, [](const LifeFrame&) { return true; });
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->generation, generation + 1);
    EXPECT_NE(frame->lives(0, 1), upright);
  }
}

TEST_F(ExampleModulesTest, life_takes_cells_and_nothing_else) {
  deploy_source(empty_life());
  for (const size_t length : {size_t{3}, size_t{4 * 1024 + 4}}) {
    WebSocketClient socket(server_.port(), "/life");
    socket.send_binary(std::string(length, 'x'));
    std::optional<ServerFrame> frame = socket.read_frame();
    while (frame && frame->bits.opcode == opcode::binary) frame = socket.read_frame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->close_code(), 1008);
    EXPECT_THAT(frame->close_reason(), HasSubstr("at most 1024 cells"));
  }
}

TEST_F(ExampleModulesTest, life_goes_on_at_once_for_old_sockets_and_its_thread_ends_with_its_version) {
  deploy_source(example("life"));
  WebSocketClient socket(server_.port(), "/life");
  for (int version = 0; version < 5; ++version) {
    // A version begins with generation 1: these are the last one's, and then come those of the next.
    ASSERT_TRUE(frame_that(socket, [](const LifeFrame& frame) { return frame.generation >= 5; }));
    deploy_source(example("life") + "/* " + std::to_string(version) + " */\n");
    ASSERT_TRUE(frame_that(socket, [](const LifeFrame& frame) { return frame.generation < 5; }));
    EXPECT_TRUE(old_versions_go("life"));
  }
}

// ------------------------------------------------------------------------------------------------- what modules share

const Headers is_form = {{"Content-Type", "application/x-www-form-urlencoded"}};

TEST_F(ExampleModulesTest, guestbook_keeps_what_visitors_write_as_text) {
  deploy_source(example("guestbook"));
  EXPECT_EQ(client_.post("/guestbook", "name=Ann&text=", is_form).status, 400);
  EXPECT_EQ(client_.post("/guestbook", "name=Ann&text=" + std::string(501, 'x'), is_form).status, 400);
  const HttpResponse added = client_.post("/guestbook", "name=%3Cb%3E&text=');+DROP+TABLE+guestbook;--", is_form);
  EXPECT_EQ(added.status, 303);
  EXPECT_EQ(added.header("location"), "/guestbook");
  EXPECT_EQ(client_.post("/guestbook", "name=Bob&text=second", is_form).status, 303);
  const std::string entries = "<dl><dt>Bob<dd>second<dt>&lt;b&gt;<dd>&#39;); DROP TABLE guestbook;--</dl>";
  EXPECT_THAT(client_.get("/guestbook").body, HasSubstr(entries));
  deploy_source(example("guestbook") + "/* another version */");
  EXPECT_THAT(client_.get("/guestbook").body, HasSubstr(entries));
}

TEST_F(ExampleModulesTest, login_believes_its_own_cookies_alone) {
  deploy_source(example("login"));
  EXPECT_THAT(client_.get("/login").body, HasSubstr("Who are you?"));
  EXPECT_EQ(client_.post("/login", "name=a.b", is_form).status, 400);
  const HttpResponse answer = client_.post("/login", "name=Ann", is_form);
  EXPECT_EQ(answer.status, 303);
  const std::string set = answer.header("set-cookie"), cookie = set.substr(0, set.find(';'));
  EXPECT_THAT(set, HasSubstr("; HttpOnly; SameSite=Lax"));
  const auto page_with = [&](const std::string& cookies) { return client_.get("/login", {{"Cookie", cookies}}).body; };
  EXPECT_THAT(page_with(cookie), HasSubstr("Hello, Ann."));
  EXPECT_THAT(page_with("other=1; " + cookie + "; more=2"), HasSubstr("Hello, Ann."));
  EXPECT_THAT(page_with(changed(cookie, "Ann", "Bob")), HasSubstr("Who are you?"));
  EXPECT_THAT(page_with(cookie + "A"), HasSubstr("Who are you?"));
  EXPECT_THAT(page_with("user=Ann"), HasSubstr("Who are you?"));
  deploy_source(example("login") + "/* another version */");
  EXPECT_THAT(page_with(cookie), HasSubstr("Hello, Ann."));
  EXPECT_THAT(client_.post("/login/out", "", is_form).header("set-cookie"), HasSubstr("Max-Age=0"));
}

TEST_F(ExampleModulesTest, cache_computes_once) {
  deploy_source(example("cache"));
  EXPECT_EQ(client_.get("/cache?below=1000").body, "168 primes below 1000, computed\n");
  EXPECT_EQ(client_.get("/cache?below=1000").body, "168 primes below 1000, cached\n");
  deploy_source(example("cache") + "/* another version */");
  EXPECT_EQ(client_.get("/cache?below=1000").body, "168 primes below 1000, cached\n");
  EXPECT_EQ(client_.send("DELETE", "/cache?below=1000").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/cache?below=1000").status, 404);
  EXPECT_EQ(client_.get("/cache?below=1000").body, "168 primes below 1000, computed\n");
  EXPECT_EQ(client_.get("/cache?below=5000001").status, 400);
}

TEST_F(ExampleModulesTest, cron_works_while_nobody_waits) {
  deploy_source(example("cron"));
  EXPECT_EQ(client_.post("/cron", "hello").status, 202);
  EXPECT_TRUE(eventually([&] { return client_.get("/cron").body.ends_with(" ticks, 5 letters\n"); }));
  EXPECT_TRUE(eventually([&] { return std::stoi(client_.get("/cron").body) >= 2; }));
}

TEST_F(ExampleModulesTest, plugin_a_calls_whichever_plugin_b_there_is) {
  deploy_source(example("plugin_a"));
  EXPECT_EQ(client_.get("/plugin").status, 503);
  deploy_source(example("plugin_b"));
  EXPECT_EQ(client_.get("/plugin?name=Ann").body, "Good day, Ann!\n");
  deploy_source(changed(example("plugin_b"), "Good day", "Hello"));
  EXPECT_EQ(client_.get("/plugin").body, "Hello, you!\n");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/plugin_b").status, 200);
  EXPECT_EQ(client_.get("/plugin").status, 503);
}

}  // namespace
}  // namespace cweb::e2e
