// What systemd is told of a server that it has started: by datagrams, as sd_notify(3) describes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;

/// The manager's end: an abstract socket, so that nothing is left behind.
class Manager {
 public:
  Manager() : name_("cweb-test-" + std::to_string(getpid())), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name_.data(), name_.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  std::string variable() const { return "NOTIFY_SOCKET=@" + name_; }
  /// The next message; empty when none came in time.
  std::string next(std::chrono::milliseconds time = patience) const {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, static_cast<int>(time.count())) <= 0) return {};
    std::array<char, 1024> message;
    const ssize_t length = recv(fd_.get(), message.data(), message.size(), 0);
    return length <= 0 ? "" : std::string(message.data(), static_cast<size_t>(length));
  }

 private:
  std::string name_;
  UniqueFd fd_;
};

class ServiceManagerTest : public testing::TestWithParam<Supervision> {};

TEST_P(ServiceManagerTest, is_told_when_requests_are_answered_and_when_the_end_begins) {
  const Manager manager;
  ServerProcess server({}, {manager.variable()}, GetParam());
  EXPECT_THAT(manager.next(), HasSubstr("READY=1\n"));
  EXPECT_EQ(HttpClient(server.port()).get("/mgnt/health").status, 200);
  server.terminate();
  EXPECT_THAT(manager.next(), HasSubstr("STOPPING=1\n"));
  EXPECT_TRUE(server.stop());
  EXPECT_EQ(manager.next(std::chrono::milliseconds(0)), "") << "nothing was said twice";
}

TEST_P(ServiceManagerTest, is_not_spoken_to_by_modules) {
  const Manager manager;
  ServerProcess server({}, {manager.variable()}, GetParam());
  const std::string source = R"(#include <cweb.h>
static int look(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s", getenv("NOTIFY_SOCKET") ? getenv("NOTIFY_SOCKET") : "nothing");
    return 0;
}
export module_t config = {.name = "look", .routes = {{"/look", "GET", look, NONE}}, .size = 1};
)";
  ASSERT_TRUE(deploy(server.port(), source).deployed());
  EXPECT_EQ(HttpClient(server.port()).get("/look").body, "nothing");
}

INSTANTIATE_TEST_SUITE_P(By, ServiceManagerTest, testing::Values(Supervision::none, Supervision::by_parent),
                         [](const auto& info) { return info.index == 0 ? "one_process" : "parent"; });

TEST(SupervisedServiceTest, stays_ready_while_its_server_process_is_replaced) {
  const Manager manager;
  ServerProcess server({}, {manager.variable()}, Supervision::by_parent);
  EXPECT_THAT(manager.next(), HasSubstr("READY=1\n"));
  const std::vector<pid_t> children = children_of(server.pid());
  ASSERT_EQ(children.size(), 1U);
  kill(children[0], SIGKILL);
  EXPECT_THAT(manager.next(), HasSubstr("STATUS=the server process has died"));
  EXPECT_THAT(manager.next(), HasSubstr("READY=1\n"));
}

TEST(ServiceWithoutManagerTest, a_manager_that_is_gone_keeps_nobody_from_serving) {
  for (const char* path : {"@cweb-test-nobody-is-here", "/no/such/socket", "not a path"}) {
    ServerProcess server({}, {std::string("NOTIFY_SOCKET=") + path}, Supervision::by_parent);
    EXPECT_EQ(HttpClient(server.port()).get("/mgnt/health").status, 200);
    EXPECT_THAT(server.log(), HasSubstr("NOTIFY_SOCKET"));
  }
}

}  // namespace
}  // namespace cweb::e2e
