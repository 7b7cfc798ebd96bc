// What is otherwise when a person sits there: colours, and a key that is typed and not shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <string>

#include "client_user.h"
#include "deploying.h"
#include "server_process.h"
#include "terminal.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string key = "correct-horse-battery-staple";

class ClientTerminalTest : public testing::Test {
 protected:
  /// What a command shows that runs to its end.
  std::string shown_by(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& variables = {}) const {
    Terminal terminal(user_.command(arguments, variables));
    EXPECT_TRUE(WIFEXITED(terminal.await_end())) << terminal.shown();
    return terminal.shown();
  }

  const ClientUser user_;
};

TEST_F(ClientTerminalTest, diagnostics_have_clang_s_colours_unless_somebody_minds) {
  ServerProcess server;
  user_.home().write("x.c", "int x = y;\n");
  const std::vector<std::string> deploy{"deploy", "x.c", "--server", server.url()};
  EXPECT_THAT(shown_by(deploy),
              AllOf(HasSubstr("\033[1mx.c:1:9: \033[0m\033[0;1;31merror: \033[0m\033[1muse of undeclared"),
                    HasSubstr("      |\033[0;1;32m         ^\033[0m\r\n"), HasSubstr("not deployed")));
  EXPECT_THAT(shown_by({"list", "--server", server.url()}), HasSubstr("no module is deployed yet"));
  for (const char* variable : {"NO_COLOR=1", "TERM=dumb"}) {
    EXPECT_THAT(shown_by(deploy, {variable}), AllOf(Not(HasSubstr("\033")), HasSubstr("x.c:1:9: error: ")));
  }
  ASSERT_TRUE(e2e::deploy(server.port(), answering_module("a", "/a", "a")).deployed());
  EXPECT_THAT(shown_by({"list", "--server", server.url()}), HasSubstr("\033[1mNAME"));
}

TEST_F(ClientTerminalTest, a_source_is_harmless_there) {
  ServerProcess server;
  ASSERT_TRUE(e2e::deploy(server.port(), answering_module("a", "/a", "a") + "// \033[2J\n").deployed());
  EXPECT_THAT(shown_by({"source", "a", "--server", server.url()}),
              AllOf(HasSubstr("// ?[2J\r\n"), Not(HasSubstr("\033"))));
}

TEST_F(ClientTerminalTest, a_server_that_says_nothing_is_told_of) {
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(listen(listener.get(), 1), 0);  // on a port that is free
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  Terminal terminal(user_.command({"list", "--server", url}));
  EXPECT_TRUE(terminal.await("cweb: waiting for " + url + " ...")) << terminal.shown();
}

TEST_F(ClientTerminalTest, login_asks_for_the_key_and_does_not_show_it) {
  ServerProcess server({}, {"CWEB_ADMIN_KEY=" + key});
  const std::vector<std::string> login = user_.command({"login", "--server", server.url()});
  {
    Terminal terminal(login);
    ASSERT_TRUE(terminal.await("admin key of " + server.url() + ": ")) << terminal.shown();
    EXPECT_FALSE(terminal.echoes());
    terminal.type(key + "\r");
    const int status = terminal.await_end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << terminal.shown();
    EXPECT_THAT(terminal.shown(), AllOf(HasSubstr("is saved in"), Not(HasSubstr(key))));
    EXPECT_TRUE(terminal.echoes());
  }
  EXPECT_EQ(user_.run({"list", "--server", server.url()}).exit_code, 0);

  Terminal terminal(login);
  ASSERT_TRUE(terminal.await("admin key"));
  terminal.type("half a k\x1a\x03");  // Ctrl-Z does nothing
  const int status = terminal.await_end();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << terminal.shown();
  EXPECT_TRUE(terminal.echoes()) << "Ctrl-C must leave a terminal that shows what is typed";
}

}  // namespace
}  // namespace cweb::e2e
