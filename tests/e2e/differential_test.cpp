// Servers in a row must agree where a request ends: where they do not, what one of them takes for a body is a request
// of somebody's choice for the next. A corpus of raw requests goes to cweb directly, through nginx and through haproxy,
// each with a second request right behind it; the module writes down what reaches it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "deploying.h"
#include "pace.h"
#include "proxies.h"
#include "raw_client.h"
#include "server_process.h"
#include "wire_corpus.h"

namespace cweb::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::wire_corpus;
using tests::WireCase;

/// Tells the test of every request: method, path, and the body's bytes in hexadecimal digits.
const std::string noting_module = fill_in(R"(#include <cweb.h>
#include <unistd.h>

static int note(struct http_request *req, struct http_response *res) {
    char line[400];
    size_t used = (size_t)snprintf(line, 200, "%s %.100s %d ", http_methods[req->method], req->path, req->content_length);
    for (int i = 0; i < req->content_length && i < 80; ++i)
        used += (size_t)snprintf(line + used, 3, "%02x", (unsigned char)req->body[i]);
    line[used++] = '\n';
    if (write(@EVENTS@, line, used) < 0) return -1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "noted");
    return 0;
}

export module_t config = {
    .name = "noting",
    .routes = {
        {"/.*", "GET", note, NONE},
        {"/.*", "POST", note, NONE},
        {"/.*", "PUT", note, NONE},
        {"/.*", "DELETE", note, NONE},
    },
    .size = 4,
};
)",
                                          {{"EVENTS", std::to_string(events_fd)}});

/// What stands behind each case. Whoever answers it ends the connection.
const std::string marker = get_request("/marker", "Connection: close\r\n");
const std::string marker_note = "GET /marker 0 ";
const std::string fence_note = "GET /fence 0 ";

/// Sends everything and reads to the end. Whoever waits for more of what is not `whole` is told that there is none.
std::string exchange_over(const std::string& socket_path, const std::string& bytes, bool whole) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "no connection";
  // Who refuses early may not read it all.
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t count = send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count <= 0) break;
    rest.remove_prefix(static_cast<size_t>(count));
  }
  std::string answer;
  bool may_end = !whole;
  for (;;) {
    pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, may_end ? 100 : static_cast<int>(patience.count())) == 0) {
      if (!std::exchange(may_end, false)) return answer + "... and no end";
      shutdown(fd.get(), SHUT_WR);
      continue;
    }
    char text[16 * 1024];
    const ssize_t count = recv(fd.get(), text, sizeof text, 0);
    if (count <= 0) return answer;
    answer.append(text, static_cast<size_t>(count));
  }
}

/// The status of each answer in a stream of them.
std::vector<int> statuses_in(const std::string& answers) {
  std::vector<int> statuses;
  for (size_t at = 0; (at = answers.find("HTTP/1.", at)) != std::string::npos; ++at) {
    const std::string number = answers.size() > at + 12 ? answers.substr(at + 9, 3) : "";
    const bool is_number =
        number.size() == 3 && std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c); });
    if (is_number) statuses.push_back(std::stoi(number));
  }
  return statuses;
}

/// What became of a case on one way to the server.
struct Outcome {
  std::string answers;
  std::vector<std::string> noted;
  /// Of the requests that were answered by the module.
  size_t served() const { return static_cast<size_t>(std::ranges::count(statuses_in(answers), 200)); }
};

class DifferentialTest : public testing::Test {
 protected:
  void SetUp() override {
    const DeployAnswer answer = deploy(server_.port(), noting_module);
    ASSERT_TRUE(answer.deployed()) << answer;
  }

  Outcome directly(const WireCase& wire_case) {
    RawClient client(server_.port());
    client.send(wire_case.bytes + marker);
    Outcome outcome;
    outcome.answers = client.read_to_end();
    outcome.noted = notes();
    return outcome;
  }
  Outcome through(const Proxy& proxy, const WireCase& wire_case) {
    Outcome outcome;
    outcome.answers = exchange_over(proxy.socket_path(), wire_case.bytes + marker, wire_case.served());
    outcome.noted = notes();
    return outcome;
  }
  /// What the module has noted up to now: the server has one loop, so a request of our own comes behind all others.
  std::vector<std::string> notes() {
    EXPECT_EQ(fence_.exchange(get_request("/fence")).status, 200);
    std::vector<std::string> noted;
    for (;;) {
      std::string line = server_.next_event();
      if (line == fence_note) return noted;
      if (line.empty()) {
        ADD_FAILURE() << "the fence was not noted";
        return noted;
      }
      noted.push_back(std::move(line));
    }
  }

  ServerProcess server_{{"--threads", "1"}};
  RawClient fence_{server_.port()};
};

TEST_F(DifferentialTest, every_case_is_served_whole_or_refused_with_all_that_is_behind_it) {
  std::set<std::string> names;
  for (const WireCase& wire_case : wire_corpus()) {
    SCOPED_TRACE(wire_case.name);
    EXPECT_TRUE(names.insert(wire_case.name).second) << "two cases have this name";
    const Outcome outcome = directly(wire_case);
    if (wire_case.served()) {
      EXPECT_THAT(statuses_in(outcome.answers), ElementsAre(200, 200)) << outcome.answers;
      EXPECT_THAT(outcome.noted, ElementsAre(HasSubstr("/case"), marker_note));
    } else {
      EXPECT_THAT(statuses_in(outcome.answers), ElementsAre(wire_case.status)) << outcome.answers;
      EXPECT_THAT(outcome.noted, IsEmpty());
      EXPECT_THAT(outcome.answers, HasSubstr("Connection: close\r\n"));
      EXPECT_FALSE(outcome.answers.ends_with("\r\n\r\n")) << "one sentence says why";
    }
  }
  EXPECT_GE(names.size(), 300U);
}

TEST_F(DifferentialTest, what_cweb_serves_is_the_same_request_behind_nginx_and_haproxy) {
  const auto nginx = Proxy::start_nginx(server_.port());
  const auto haproxy = Proxy::start_haproxy(server_.port());
  for (const WireCase& wire_case : wire_corpus()) {
    SCOPED_TRACE(wire_case.name);
    const Outcome direct = directly(wire_case);
    for (const Proxy* proxy : {nginx.get(), haproxy.get()}) {
      SCOPED_TRACE(proxy == nginx.get() ? "through nginx" : "through haproxy");
      const Outcome proxied = through(*proxy, wire_case);
      // What the server was asked and what the client got an answer to: one more is a request that nobody sent.
      EXPECT_EQ(proxied.noted.size(), proxied.served()) << proxied.answers;
      // A proxy may refuse what is served here, or mend what is refused here. It must not read it differently.
      if (direct.noted.empty()) continue;
      ASSERT_LE(proxied.noted.size(), direct.noted.size()) << proxied.answers;
      EXPECT_TRUE(std::ranges::equal(proxied.noted, std::span(direct.noted).first(proxied.noted.size())))
          << testing::PrintToString(proxied.noted) << " instead of " << testing::PrintToString(direct.noted);
      if (wire_case.name.starts_with("plain_")) {
        EXPECT_EQ(proxied.noted.size(), 2U) << "nothing is wrong with it: " << proxied.answers;
      }
    }
  }
}

}  // namespace
}  // namespace cweb::e2e
