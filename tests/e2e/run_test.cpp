// cweb run and cweb new: the first minute.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "client_user.h"
#include "deploying.h"
#include "http_client.h"
#include "process_facts.h"
#include "server_process.h"
#include "terminal.h"

namespace cweb::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

/// A listening socket on this port of this machine; who has it now may be another test, which ends soon.
UniqueFd listen_on(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  UniqueFd listener;
  eventually([&] {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool is_bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (is_bound && listen(fd.get(), 1) == 0) listener = std::move(fd);
    return static_cast<bool>(listener);
  });
  return listener;
}

uint16_t bound_port(const UniqueFd& listener) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

class RunTest : public testing::Test {
 protected:
  /// The port that "http://localhost:PORT is served by this terminal" tells; 0 when it does not.
  static uint16_t port_of(Terminal& terminal) {
    if (!terminal.await(" is served by this terminal until Ctrl-C")) return 0;
    const std::string mark = "http://localhost:";
    const size_t at = terminal.shown().find(mark);
    return at == std::string::npos ? uint16_t{0}
                                   : static_cast<uint16_t>(std::stoi(terminal.shown().substr(at + mark.size())));
  }
  const TemporaryDirectory& home() const { return user_.home(); }

  const ClientUser user_;
};

TEST_F(RunTest, a_server_for_a_file_serves_it_follows_it_and_is_gone_with_ctrl_c) {
  home().write("a.c", answering_module("a", "/a", "one"));
  // What is set for a server that stays is not this one's.
  Terminal terminal(user_.command({"run", "a.c"}, {"NO_COLOR=1", "CWEB_MODULES=" + home().path("modules"),
                                                   "CWEB_ADMIN_KEY=0123456789abcdef", "CWEB_ENV=production"}));
  const uint16_t port = port_of(terminal);
  ASSERT_NE(port, 0) << terminal.shown();
  ASSERT_TRUE(terminal.await("a.c: a, version 1")) << terminal.shown();
  EXPECT_EQ(HttpClient(port).get("/a").body, "one");
  home().write("a.c", answering_module("a", "/a", "two"));
  ASSERT_TRUE(terminal.await("a.c: a, version 2")) << terminal.shown();
  EXPECT_EQ(HttpClient(port).get("/a").body, "two");
  terminal.type("\x03");
  const int status = terminal.await_end();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << terminal.shown();
  EXPECT_EQ(HttpClient(port).get("/a").status, 0) << "nothing is left";
  EXPECT_FALSE(fs::exists(home().path("modules")));
}

TEST_F(RunTest, the_usual_port_may_be_taken_and_one_that_is_asked_for_may_not) {
  const UniqueFd usual = listen_on(8080);
  ASSERT_TRUE(usual) << "somebody else keeps port 8080";
  const UniqueFd other = listen_on(0);
  home().write("a.c", answering_module("a", "/a", "one"));
  {
    Terminal terminal(user_.command({"run", "a.c"}, {"NO_COLOR=1"}));
    const uint16_t port = port_of(terminal);
    EXPECT_TRUE(port != 0 && port != 8080) << terminal.shown();
    EXPECT_TRUE(terminal.await("; port 8080 is taken by another")) << terminal.shown();
    terminal.type("\x03");
    EXPECT_EQ(terminal.await_end(), 0);
  }
  const std::string taken = std::to_string(bound_port(other));
  const Finished finished = user_.run({"run", "--port", taken, "a.c"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err, HasSubstr(taken));
}

TEST_F(RunTest, its_server_does_not_outlive_it) {
  home().write("a.c", answering_module("a", "/a", "one"));
  Terminal terminal(user_.command({"run", "--port", "0", "a.c"}, {"NO_COLOR=1"}));
  const uint16_t port = port_of(terminal);
  ASSERT_NE(port, 0) << terminal.shown();
  ASSERT_TRUE(terminal.await("a, version 1")) << terminal.shown();
  kill(terminal.pid(), SIGKILL);
  terminal.await_end();
  EXPECT_TRUE(eventually([&] { return HttpClient(port).get("/a").status == 0; }));
}

TEST_F(RunTest, ctrl_c_ends_it_also_while_an_onload_does_not_return) {
  home().write("a.c", loading_module("a", "for (;;) {}"));
  // Longer than anybody waits for.
  Terminal terminal(user_.command({"run", "--port", "0", "a.c", "--", "--deadline-ms", "600000"}, {"NO_COLOR=1"}));
  const uint16_t port = port_of(terminal);
  ASSERT_NE(port, 0) << terminal.shown();
  ASSERT_TRUE(terminal.await(" a: loading a")) << "while it runs " << terminal.shown();
  terminal.type("\x03");
  EXPECT_EQ(terminal.await_end(), 0) << terminal.shown();
  EXPECT_TRUE(eventually([&] { return HttpClient(port).get("/mgnt").status == 0; })) << "nothing is left";
}

TEST_F(RunTest, options_behind_the_dashes_are_its_server_s) {
  home().write("a.c", fill_in(answering_module("a", "/a", "one"), {}));
  Terminal terminal(
      user_.command({"run", "--port", "0", "a.c", "--", "--access-log", home().path("access")}, {"NO_COLOR=1"}));
  const uint16_t port = port_of(terminal);
  ASSERT_NE(port, 0) << terminal.shown();
  ASSERT_TRUE(terminal.await("a, version 1")) << terminal.shown();
  HttpClient(port).get("/a");
  EXPECT_TRUE(eventually([&] { return !home().read("access").empty(); }));
  terminal.type("\x03");
  EXPECT_EQ(terminal.await_end(), 0) << terminal.shown();
  EXPECT_THAT(home().read("access"), HasSubstr("\"GET /a HTTP/1.1\" 200"));
  EXPECT_THAT(user_.run({"run"}).err, HasSubstr("name what to run: cweb run FILE..., or list files in routes.ini"));
  const Finished wrong = user_.run({"run", "a.c", "--", "--no-such-option"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("--no-such-option"));
}

TEST_F(RunTest, a_new_module_is_fine_for_the_server_and_for_other_compilers) {
  ServerProcess server;
  ASSERT_EQ(user_.run({"new", "hello"}).exit_code, 0);
  const Finished with_socket = user_.run({"new", "--ws", "tea-room.c"});
  ASSERT_EQ(with_socket.exit_code, 0) << with_socket.err;
  EXPECT_EQ(with_socket.err, "") << "the flags that are there have the directory of cweb.h";
  const Finished deployed = user_.run({"deploy", "hello.c", "tea-room.c", "--server", server.url()});
  EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
  EXPECT_EQ(deployed.err, "") << "not a warning";
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/hello?name=Ada").body, "Hello, Ada\n");
  EXPECT_THAT(client.get("/tea-room").body, HasSubstr("new WebSocket"));

  std::vector<std::string> compile{"gcc", "-fsyntax-only", "-Werror"};
  std::ifstream flags(home().path("compile_flags.txt"));
  for (std::string flag; std::getline(flags, flag);) compile.push_back(flag);
  ASSERT_GT(compile.size(), 3U) << "compile_flags.txt is there";
  for (const char* file : {"hello.c", "tea-room.c"}) compile.push_back(home().path(file));
  const Finished compiled = run_program(compile);
  EXPECT_EQ(compiled.exit_code, 0) << compiled.err;

  home().write("hello.c", "mine");
  const Finished again = user_.run({"new", "hello"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("hello.c is there already"));
  EXPECT_EQ(home().read("hello.c"), "mine");
  home().write("compile_flags.txt", "-xc\n");
  const Finished beside = user_.run({"new", "third"});
  EXPECT_EQ(beside.exit_code, 0);
  EXPECT_THAT(beside.err,
              MatchesRegex("note: compile_flags.txt was left alone: clangd needs -I/.*/include there [^\n]*\n"));
  EXPECT_EQ(home().read("compile_flags.txt"), "-xc\n");
  for (const char* name : {"../x", "a b", "-", "mgnt"}) EXPECT_EQ(user_.run({"new", name}).exit_code, 2) << name;
}

}  // namespace
}  // namespace cweb::e2e
