// cweb watch and cweb logs: a terminal beside an editor, while files are saved in every way and servers come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "client_user.h"
#include "deploying.h"
#include "http_client.h"
#include "server_process.h"
#include "supervised_server.h"
#include "terminal.h"

namespace cweb::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// A module whose GET /a prints what it is asked to, and with ?fault=1 dies on line 6.
const std::string printing = R"(#include <cweb.h>
static int a(struct http_request *req, struct http_response *res) {
    const char *text = map_get(req->params, "text");
    printf("asked for %s\n", text ? text : "nothing");
    fprintf(stderr, "to stderr\n");
    if (map_get(req->params, "fault")) *(volatile int *)8 = 1;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "done");
    return 0;
}
export module_t config = {.name = "a", .author = "t", .routes = {{"/a", "GET", a, NONE}}, .size = 1};
)";

class WatchTest : public testing::Test {
 protected:
  std::vector<std::string> watch(const std::string& url, const std::vector<std::string>& what) const {
    std::vector<std::string> arguments{"watch", "--server", url};
    arguments.insert(arguments.end(), what.begin(), what.end());
    return user_.command(arguments, {"NO_COLOR=1"});
  }
  static void expect_ends_well(Terminal& terminal) {
    terminal.type("\x03");
    const int status = terminal.await_end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << terminal.shown();
  }
  const TemporaryDirectory& home() const { return user_.home(); }
  static std::string version(int number) { return answering_module("a", "/a", "text " + std::to_string(number)); }

  const ClientUser user_;
};

TEST_F(WatchTest, every_save_is_deployed_and_what_is_broken_is_told_until_it_is_fixed) {
  ServerProcess server;
  HttpClient client(server.port());
  home().write("a.c", version(1));
  Terminal terminal(watch(server.url(), {"a.c"}));
  ASSERT_TRUE(terminal.await("a.c: a, version 1: GET /a (")) << terminal.shown();
  home().write("a.c", version(2));
  ASSERT_TRUE(terminal.await("a.c: a, version 2: GET /a (")) << terminal.shown();
  EXPECT_EQ(client.get("/a").body, "text 2");

  home().write("a.c", version(3) + "int broken = nonsense;\n");
  ASSERT_TRUE(terminal.await("error: use of undeclared identifier 'nonsense'")) << terminal.shown();
  ASSERT_TRUE(terminal.await("a.c: not deployed (compile)")) << terminal.shown();
  EXPECT_EQ(client.get("/a").body, "text 2");
  home().write("new", version(4));
  fs::rename(home().path("new"), home().path("a.c"));
  ASSERT_TRUE(terminal.await("a.c: fixed: a, version 3: GET /a (")) << terminal.shown();
  EXPECT_EQ(client.get("/a").body, "text 4");

  fs::remove(home().path("a.c"));
  ASSERT_TRUE(terminal.await("a.c is gone; its module goes on")) << terminal.shown();
  ASSERT_EQ(::mkfifo(home().path("a.c").c_str(), 0600), 0);
  ASSERT_TRUE(terminal.await("a.c: is a pipe or a device")) << "nobody will write to it " << terminal.shown();
  fs::remove(home().path("a.c"));
  ASSERT_TRUE(terminal.await("a.c is gone; its module goes on")) << terminal.shown();
  home().write("a.c", answering_module("b", "/a", "other name"));
  ASSERT_TRUE(terminal.await("a.c was module a before: `cweb remove a --server ")) << terminal.shown();
  home().write("a.c", version(5));
  ASSERT_TRUE(terminal.await("a.c: fixed: a, version 4: GET /a (")) << terminal.shown();
  EXPECT_EQ(client.get("/a").body, "text 5");
  expect_ends_well(terminal);
  EXPECT_EQ(client.get("/a").body, "text 5") << "what was deployed stays";
}

TEST_F(WatchTest, what_its_modules_print_and_suffer_is_shown_and_nothing_of_others) {
  ServerProcess server;
  HttpClient client(server.port());
  std::string other = printing;
  for (size_t at = other.find("\"/a\""); at != std::string::npos; at = other.find("\"/a\""))
    other.replace(at, 4, "\"/b\"");
  other.replace(other.find("\"a\", .author"), 3, "\"b\"");
  ASSERT_TRUE(deploy(client, other).deployed());
  home().write("a.c", printing);
  Terminal terminal(watch(server.url(), {"a.c"}));
  ASSERT_TRUE(terminal.await("a, version 1")) << terminal.shown();
  EXPECT_EQ(client.get("/b?text=others").body, "done");
  EXPECT_EQ(client.get("/a?text=tea").body, "done");
  ASSERT_TRUE(terminal.await(" a: asked for tea")) << terminal.shown();
  ASSERT_TRUE(terminal.await(" a: to stderr")) << terminal.shown();
  EXPECT_EQ(client.get("/a?fault=1").status, 500);
  ASSERT_TRUE(terminal.await("at a.c:6:")) << terminal.shown();
  ASSERT_TRUE(terminal.await("a fresh instance answers")) << terminal.shown();
  expect_ends_well(terminal);
  EXPECT_THAT(terminal.shown(), Not(HasSubstr("others")));
}

TEST_F(WatchTest, what_an_onload_prints_is_shown_while_it_fails_and_its_fault_once) {
  ServerProcess server;
  home().write("a.c", loading_module("a", "exit(3);"));
  Terminal terminal(watch(server.url(), {"./a.c"}));
  ASSERT_TRUE(terminal.await(" a: loading a")) << terminal.shown();
  ASSERT_TRUE(terminal.await("in module a: the module called exit(3) at ./a.c:3:")) << terminal.shown();
  ASSERT_TRUE(terminal.await("./a.c: not deployed (onload)")) << terminal.shown();
  home().write("a.c", loading_module("a", "abort();"));
  ASSERT_TRUE(terminal.await(" a: loading a")) << terminal.shown();
  ASSERT_TRUE(terminal.await("./a.c: not deployed (onload)")) << terminal.shown();
  home().write("a.c", loading_module("a", ""));
  ASSERT_TRUE(terminal.await(" a: loading a")) << terminal.shown();
  ASSERT_TRUE(terminal.await("./a.c: fixed: a, version 1")) << terminal.shown();
  home().write("a.c", loading_module("a", "*(volatile int *)8 = 1;"));
  ASSERT_TRUE(terminal.await(" a: loading a")) << terminal.shown();
  ASSERT_TRUE(terminal.await("./a.c: not deployed (onload)")) << terminal.shown();
  home().write("a.c", loading_module("a", ";"));
  ASSERT_TRUE(terminal.await("./a.c: fixed: a, version 2")) << terminal.shown();
  expect_ends_well(terminal);
  const std::string fault = " in module a: null pointer";
  const size_t first = terminal.shown().find(fault);
  ASSERT_NE(first, std::string::npos) << terminal.shown();
  EXPECT_EQ(terminal.shown().find(fault, first + 1), std::string::npos) << terminal.shown();
}

TEST_F(WatchTest, a_directory_and_a_list_are_followed_as_they_change) {
  ServerProcess server;
  HttpClient client(server.port());
  fs::create_directory(home().path("src"));
  home().write("src/a.c", answering_module("a", "/a", "a"));
  home().write("b.c", answering_module("b", "/b", "b"));
  home().write("routes.ini", "server_url=" + server.url("/mgnt") + "\n[modules]\n");
  Terminal terminal(user_.command({"watch", "src", "routes.ini"}, {"NO_COLOR=1"}));
  ASSERT_TRUE(terminal.await("src/a.c: a, version 1")) << terminal.shown();
  home().write("src/c.c", answering_module("c", "/c", "c"));
  ASSERT_TRUE(terminal.await("src/c.c: c, version 1")) << terminal.shown();
  home().write("src/d.c", "no module\n");
  ASSERT_TRUE(terminal.await("src/d.c: not deployed")) << terminal.shown();
  fs::remove(home().path("src/d.c"));
  ASSERT_TRUE(terminal.await("src/d.c is gone\r\n")) << "it had no module " << terminal.shown();
  home().write("routes.ini", "server_url=" + server.url("/mgnt") + "\n[modules]\nb.c\n./b.c\n");
  ASSERT_TRUE(terminal.await("b.c: b, version 1")) << terminal.shown();
  home().write("b.c", answering_module("b", "/b", "b again"));
  ASSERT_TRUE(terminal.await("b.c: b, version 2")) << terminal.shown();
  home().write("routes.ini", "server_url=http://localhost:1/mgnt\n[modules]\nb.c\n");
  ASSERT_TRUE(terminal.await("server_url= of routes.ini has changed from " + server.url() +
                             " to http://localhost:1: start cweb watch again"))
      << terminal.shown();
  home().write("routes.ini", "[modules\n");
  ASSERT_TRUE(terminal.await("routes.ini:1: ")) << terminal.shown();
  home().write("b.c", answering_module("b", "/b", "and again"));
  ASSERT_TRUE(terminal.await("b.c: b, version 3")) << "a list that cannot be read changes nothing " << terminal.shown();
  expect_ends_well(terminal);
  EXPECT_THAT(terminal.shown(), Not(HasSubstr("./b.c"))) << "one file under two names is deployed once";
}

TEST_F(WatchTest, a_server_that_goes_and_comes_back_has_the_modules_again) {
  home().write("a.c", version(1));
  auto server = std::make_unique<ServerProcess>();
  const std::string port = std::to_string(server->port());
  Terminal terminal(watch(server->url(), {"a.c"}));
  ASSERT_TRUE(terminal.await("a, version 1")) << terminal.shown();
  server.reset();
  ASSERT_TRUE(terminal.await("trying again until Ctrl-C")) << terminal.shown();
  home().write("a.c", version(2));

  ServerProcess next({"--port", port});
  ASSERT_TRUE(terminal.await("the server is there again")) << terminal.shown();
  ASSERT_TRUE(terminal.await("a.c: a, version 1")) << terminal.shown();
  EXPECT_EQ(HttpClient(next.port()).get("/a").body, "text 2");
  home().write("a.c", version(3));
  ASSERT_TRUE(terminal.await("a.c: a, version 2")) << terminal.shown();
  expect_ends_well(terminal);
}

TEST_F(WatchTest, what_cannot_begin_says_why) {
  home().write("a.c", version(1));
  const auto expect = [&](const std::vector<std::string>& arguments, int exit_code, const std::string& sentence) {
    const Finished finished = user_.run(arguments);
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    EXPECT_THAT(finished.err, HasSubstr(sentence));
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  };
  expect({"watch", "none.c"}, 2, "none.c: there is no such file to watch");
  expect({"watch"}, 2, "routes.ini");
  expect({"watch", "a.c", "--server", "http://127.0.0.1:1"}, 1, "no server answers at http://127.0.0.1:1");
  expect({"watch", "a.c", "--json"}, 2, "--json");
  expect({"deploy", "-c", "none.ini", "a.c"}, 1, "none.ini: No such file");
  // The list of the working directory names the server, whatever is watched.
  home().write("routes.ini", "server_url=http://127.0.0.1:2/mgnt\n");
  expect({"watch", "a.c"}, 1, "no server answers at http://127.0.0.1:2");
  ServerProcess server({}, {"CWEB_ADMIN_KEY=0123456789abcdef"});
  expect({"watch", "a.c", "--server", server.url()}, 1, "cweb login");
}

TEST_F(WatchTest, ctrl_c_ends_it_also_while_a_deploy_is_under_way) {
  ServerProcess server;
  // Its onload waits for the gate.
  home().write("a.c", R"(#include <cweb.h>
#include <unistd.h>
static void load(void) {
    char byte;
    write(201, "waiting\n", 8);
    read(202, &byte, 1);
}
static int a(struct http_request *req, struct http_response *res) { (void)req; (void)res; return 0; }
export module_t config = {.name = "a", .author = "t", .routes = {{"/a", "GET", a, NONE}}, .size = 1, .onload = load};
)");
  Terminal terminal(watch(server.url(), {"a.c"}));
  ASSERT_EQ(server.next_event(), "waiting");
  expect_ends_well(terminal);
  server.open_gate();
}

TEST_F(WatchTest, a_server_that_comes_back_with_a_key_refuses_each_save_with_a_sentence) {
  home().write("a.c", version(1));
  auto server = std::make_unique<ServerProcess>();
  const std::string port = std::to_string(server->port());
  Terminal terminal(watch(server->url(), {"a.c"}));
  ASSERT_TRUE(terminal.await("a, version 1")) << terminal.shown();
  server.reset();
  ASSERT_TRUE(terminal.await("trying again until Ctrl-C")) << terminal.shown();
  const ServerProcess next({"--port", port}, {"CWEB_ADMIN_KEY=correct-horse-battery-staple"});
  ASSERT_TRUE(terminal.await("needs the admin key")) << terminal.shown();
  ASSERT_TRUE(terminal.await("what modules print is not shown")) << terminal.shown();
  home().write("a.c", version(2));
  ASSERT_TRUE(terminal.await("needs the admin key")) << terminal.shown();
  expect_ends_well(terminal);
}

TEST_F(WatchTest, logs_show_what_is_kept_and_go_on) {
  ServerProcess server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, printing).deployed());
  ASSERT_TRUE(deploy(client, answering_module("b", "/b", "b")).deployed());
  client.get("/a?text=tea");
  const auto logs = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"logs", "--server", server.url()});
    return arguments;
  };
  const Finished all = user_.run(logs({}));
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr(" a, version 1, is deployed\n"));
  EXPECT_THAT(all.out, HasSubstr(" a: asked for tea\n"));
  EXPECT_THAT(all.out, HasSubstr(" b, version 1, is deployed\n"));
  EXPECT_THAT(user_.run(logs({"b"})).out, Not(HasSubstr("tea")));
  EXPECT_THAT(user_.run(logs({"nosuch"})).err, HasSubstr("nothing is kept of that"));
  const Finished last = user_.run(logs({"a", "-n", "1", "--json"}));
  const nlohmann::json event = nlohmann::json::parse(last.out, nullptr, false);
  ASSERT_TRUE(event.is_object()) << last.out;
  EXPECT_EQ(event["text"], "to stderr");
  EXPECT_EQ(event["stream"], "stderr");

  Terminal terminal(user_.command(logs({"a", "-f"}), {"NO_COLOR=1"}));
  ASSERT_TRUE(terminal.await("asked for tea")) << terminal.shown();
  ASSERT_TRUE(terminal.await("to stderr")) << terminal.shown();
  client.get("/a?text=cake");
  ASSERT_TRUE(terminal.await(" a: asked for cake")) << terminal.shown();
  ASSERT_EQ(client.send("DELETE", "/mgnt/modules/a").status, 200);
  ASSERT_TRUE(terminal.await("is removed")) << terminal.shown();
  expect_ends_well(terminal);
}

TEST_F(WatchTest, a_reader_that_has_had_enough_ends_them_before_the_next_event) {
  ServerProcess server;
  home().write("a.c", version(1));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"watch", "a.c"}, {"logs", "-f"}}) {
    std::vector<std::string> command{"sh", "-c", "{ \"$@\"; echo exit code $? >&2; } | head -n 1", "sh"};
    for (const std::string& each : user_.command(arguments, {"CWEB_SERVER=" + server.url()})) command.push_back(each);
    const Finished finished = run_program(command);
    EXPECT_EQ(finished.exit_code, 0) << "it goes on";
    EXPECT_THAT(finished.out, HasSubstr("a, version 1"));
    EXPECT_EQ(finished.err, "exit code 1\n") << "as that of others whose reader has gone, without a word";
  }
}

TEST_F(WatchTest, logs_outlive_the_server_process) {
  SupervisedServer server;
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, printing).deployed());
  Terminal terminal(user_.command({"logs", "-f", "--server", server.url()}, {"NO_COLOR=1"}));
  ASSERT_TRUE(terminal.await("is deployed")) << terminal.shown();
  // What is kept is told before there is a stream, and a stream that has not begun would not notice.
  client.get("/a?text=tea");
  ASSERT_TRUE(terminal.await("asked for tea")) << terminal.shown();
  server.kill_serving();
  ASSERT_TRUE(terminal.await("trying again until Ctrl-C")) << terminal.shown();
  ASSERT_TRUE(terminal.await("the server is there again")) << terminal.shown();
  HttpClient(server.port()).get("/a?text=soup");
  ASSERT_TRUE(terminal.await("asked for soup")) << terminal.shown();
  expect_ends_well(terminal);
}

}  // namespace
}  // namespace cweb::e2e
