// `cweb deploy`: files, routes.ini, standard input; and how failures are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "client_user.h"
#include "deploying.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A module whose handler does not compile: line 3, column 5.
std::string broken_module(const std::string& name) {
  return "#include <cweb.h>\nstatic int show(struct http_request *req, struct http_response *res) {\n    "
         "undeclared();\n" +
         std::string("    return req && res;\n}\nexport module_t config = {.name = \"") + name +
         "\", .routes = {{\"/x\", \"GET\", show, NONE}}, .size = 1};\n";
}

class ClientDeployTest : public testing::Test {
 protected:
  Finished run(const std::vector<std::string>& arguments) const {
    return user_.run(arguments, {"CWEB_SERVER=" + server_.url()});
  }
  /// The names of what is live, in order.
  std::vector<std::string> live() {
    HttpClient client(server_.port());
    std::vector<std::string> names;
    const json list = json::parse(client.get("/mgnt").body, nullptr, false);
    for (const json& module : list.at("modules")) names.push_back(module.at("name"));
    std::sort(names.begin(), names.end());
    return names;
  }

  const ClientUser user_;
  ServerProcess server_;
};

TEST_F(ClientDeployTest, a_failure_is_shown_as_clang_shows_it_and_says_what_keeps_serving) {
  user_.home().write("x.c", answering_module("x", "/x", "one"));
  EXPECT_EQ(run({"deploy", "x.c"}).exit_code, 0);
  user_.home().write("sub dir.c", broken_module("x"));
  const Finished broken = run({"deploy", "sub dir.c"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_EQ(broken.out, "");
  EXPECT_THAT(broken.err,
              AllOf(StartsWith("sub dir.c:3:5: error: "), HasSubstr("\n    3 |     undeclared();\n      |     ^\n"),
                    HasSubstr("1 error generated.\nsub dir.c: not deployed (compile): the source does not "
                              "compile; x, version 1, keeps serving\n")));
  EXPECT_THAT(broken.err, Not(HasSubstr("\033")));
  const Finished as_json = run({"deploy", "sub dir.c", "--json"});
  EXPECT_EQ(as_json.exit_code, 1);
  EXPECT_EQ(json::parse(as_json.out, nullptr, false).value("stage", ""), "compile");
  EXPECT_EQ(as_json.err, "");

  user_.home().write("other.c", answering_module("other", "/x", "mine"));
  EXPECT_THAT(run({"deploy", "other.c"}).err, ContainsRegex("other\\.c: not deployed \\(routes\\): .*/x"));

  user_.home().write("up.c", loading_module("up", "exit(3);"));
  EXPECT_THAT(
      run({"deploy", "./up.c"}).err,
      AllOf(ContainsRegex(
                "^fault [0-9a-f]+ in module up: the module called exit\\(3\\) at \\./up\\.c:3:[0-9]+ in load\n"),
            ContainsRegex("\n  in   \\./up\\.c:3:[0-9]+ in load\n"),
            ContainsRegex("\n\\./up\\.c: not deployed \\(onload\\): .* at \\./up\\.c:3:[0-9]+ in load\n$")));
}

TEST_F(ClientDeployTest, warnings_are_shown_of_what_is_deployed) {
  std::string source = answering_module("warned", "/warned", "x");
  source += "int unused_result(void) { int a; return a; }\n";
  user_.home().write("w.c", source);
  const Finished warned = run({"deploy", "w.c"});
  EXPECT_EQ(warned.exit_code, 0);
  EXPECT_THAT(warned.out, StartsWith("w.c: warned, version 1: "));
  EXPECT_THAT(warned.err, AllOf(HasSubstr("w.c:"), HasSubstr(": warning: "), HasSubstr("1 warning generated.\n")));
}

TEST_F(ClientDeployTest, check_changes_nothing_and_input_may_come_by_a_pipe) {
  user_.home().write("x.c", answering_module("x", "/x", "one"));
  const Finished checked = run({"deploy", "--check", "x.c"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(checked.out, StartsWith("x.c: x is fine, and not deployed: GET /x"));
  EXPECT_THAT(live(), testing::IsEmpty());
  const Finished piped =
      user_.run_with_input(answering_module("piped", "/p", "p"), {"deploy", "-", "--server", server_.url()});
  EXPECT_THAT(piped.out, StartsWith("<stdin>: piped, version 1: GET /p"));
  EXPECT_THAT(user_.run_with_input(broken_module("p"), {"deploy", "-", "--server", server_.url()}).err,
              StartsWith("<stdin>:3:5: error: "));
}

TEST_F(ClientDeployTest, what_is_no_source_fails_and_the_others_are_deployed) {
  user_.home().write("a.c", answering_module("a", "/a", "a"));
  user_.home().write("b.c", answering_module("b", "/b", "b"));
  user_.home().write("empty.c", "");
  user_.home().write("long.c", std::string((4 << 20) + 1, '\n'));
  std::filesystem::create_directory(user_.home().path("dir.c"));
  const Finished finished = run({"deploy", "none.c", "a.c", "dir.c", "empty.c", "long.c", "./a.c", "b.c"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out, ContainsRegex("^a\\.c: a, version 1: [^\n]*\nb\\.c: b, version 1: [^\n]*\n$"));
  EXPECT_EQ(finished.err,
            "cweb: none.c: No such file or directory\n"
            "cweb: dir.c: Is a directory\n"
            "cweb: empty.c: the file is empty\n"
            "cweb: long.c: is longer than 4.0 MiB, the most that is read of it\n");
  EXPECT_THAT(live(), testing::ElementsAre("a", "b"));

  const Finished list = user_.run({"--server", server_.url(), "--json", "list"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_EQ(json::parse(list.out, nullptr, false).at("modules").size(), 2U);
  const Finished unset = run({"deploy", "--server=", "a.c"});
  EXPECT_EQ(unset.exit_code, 2);
  EXPECT_THAT(unset.err, HasSubstr("deploy: --server= has no value"));

  const Finished as_json = run({"deploy", "--json", "./a.c", "none.c", "b.c"});
  EXPECT_EQ(as_json.exit_code, 1);
  EXPECT_EQ(as_json.err, "");
  std::vector<json> objects;
  std::istringstream stream(as_json.out);
  while (stream >> std::ws && !stream.eof()) {
    json object;
    stream >> object;
    objects.push_back(object);
  }
  ASSERT_EQ(objects.size(), 3U) << as_json.out;
  EXPECT_EQ(objects[0].value("file", ""), "./a.c");
  EXPECT_EQ(objects[0].value("status", ""), "unchanged");
  EXPECT_EQ(objects[1],
            (json{{"file", "none.c"}, {"status", "failed"}, {"error", "none.c: No such file or directory"}}));
  EXPECT_EQ(objects[2].value("file", ""), "b.c");
}

TEST_F(ClientDeployTest, an_ini_says_what_is_deployed_and_where) {
  std::filesystem::create_directory(user_.home().path("site"));
  user_.home().write("site/a.c", answering_module("a", "/a", "a"));
  user_.home().write("b.c", answering_module("b", "/b", "b"));
  const std::string ini = "\xef\xbb\xbf# the site\r\nserver_url=" + server_.url("/mgnt") +
                          "\r\n[modules]\r\na.c\r\n; twice, by another name\r\n./a.c\r\nother=../b.c\r\n";
  user_.home().write("site/routes.ini", ini);
  const Finished named = user_.run({"deploy", "-c", "site/routes.ini"});
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_THAT(named.out,
              ContainsRegex("^site/a\\.c: a, version 1: [^\n]*\nsite/\\.\\./b\\.c: b, version 1: [^\n]*\n$"));
  // Other commands take the server from the one of the working directory.
  user_.home().write("routes.ini", "server_url=" + server_.url() + "\n[modules]\nb.c\nnone.c\n");
  EXPECT_THAT(user_.run({"show", "a"}).out, StartsWith("a, version 1"));
  const Finished here = user_.run({"deploy"});
  EXPECT_EQ(here.exit_code, 1);
  EXPECT_THAT(here.out, StartsWith("b.c: b, version 1, is unchanged"));
  EXPECT_EQ(here.err, "cweb: none.c: No such file or directory\n");
}

TEST_F(ClientDeployTest, an_ini_that_is_wrong_deploys_nothing_and_names_the_lines) {
  user_.home().write("a.c", answering_module("a", "/a", "a"));
  user_.home().write("routes.ini", "[modules]\na.c\n[servers]\n");
  const Finished wrong = run({"deploy"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_EQ(wrong.err, "cweb: routes.ini:3: there is no section [servers]: expected [modules]\n");
  user_.home().write("routes.ini", "[modules]\n");
  EXPECT_THAT(run({"deploy"}).err, HasSubstr("routes.ini lists no files"));
  std::filesystem::remove(user_.home().path("routes.ini"));
  const Finished nothing = run({"deploy"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("there is nothing to deploy"));
  EXPECT_EQ(run({"deploy", "-c", "none.ini"}).err, "cweb: none.ini: No such file or directory\n");
  const Finished ini_as_file = run({"deploy", "x.ini"});
  EXPECT_EQ(ini_as_file.exit_code, 2);
  EXPECT_THAT(ini_as_file.err, HasSubstr("cweb deploy -c x.ini"));
  EXPECT_THAT(live(), testing::IsEmpty());
}

TEST(ClientDeployInProduction, excerpts_come_from_the_local_file) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  ServerProcess server({"--production", "--plain-http", "--host", "127.0.0.1"}, {"CWEB_ADMIN_KEY=" + key});
  const ClientUser user;
  user.home().write("x.c", broken_module("x"));
  const Finished broken = user.run({"deploy", "x.c", "--server", server.url()}, {"CWEB_ADMIN_KEY=" + key});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err,
              AllOf(StartsWith("x.c:3:5: error: "), HasSubstr("\n    3 |     undeclared();\n      |     ^\n")));
}

}  // namespace
}  // namespace cweb::e2e
