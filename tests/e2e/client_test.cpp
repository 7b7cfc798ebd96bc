// The commands about what is deployed, as a person uses them, against the real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
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
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ClientTest : public testing::Test {
 protected:
  Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--server", server_.url("/mgnt")});
    return user_.run(arguments);
  }
  /// Runs it, which succeeds and says nothing but results.
  std::string output_of(const std::vector<std::string>& arguments) const {
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(finished.err, "");
    return finished.out;
  }
  /// Runs it, which fails: what it says.
  std::string complaint_of(const std::vector<std::string>& arguments) const {
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_EQ(finished.out, "");
    return finished.err;
  }

  const ClientUser user_;
  const TemporaryDirectory modules_;
  ServerProcess server_{{"--modules", modules_.path()}};
};

TEST_F(ClientTest, a_module_s_life_from_the_command_line) {
  const std::string first = answering_module("life", "/life", "one");
  user_.home().write("life.c", first);
  EXPECT_THAT(output_of({"deploy", "life.c"}),
              ContainsRegex("^life\\.c: life, version 1: GET /life \\([0-9.]+ ms\\)\n$"));
  EXPECT_THAT(output_of({"deploy", "./life.c"}), StartsWith("./life.c: life, version 1, is unchanged: GET /life"));
  user_.home().write("life.c", answering_module("life", "/life", "two"));
  EXPECT_THAT(output_of({"deploy", "life.c"}), StartsWith("life.c: life, version 2: GET /life"));

  EXPECT_THAT(output_of({"list"}),
              AllOf(ContainsRegex("^NAME +VERSION +STATE +CALLS +FAULTS +MEMORY +SOCKETS +ROUTES\n"),
                    ContainsRegex("\nlife +2 +live +0 +0 +[0-9.]+ [KM]?i?B +GET /life\n")));
  EXPECT_THAT(output_of({"show", "life"}),
              AllOf(StartsWith("life, version 2, live\n"), HasSubstr("routes     GET /life\n")));
  EXPECT_EQ(output_of({"source", "life"}), user_.home().read("life.c"));
  EXPECT_EQ(nlohmann::json::parse(output_of({"source", "life", "--json"}))["source"], user_.home().read("life.c"));
  EXPECT_THAT(output_of({"history", "life"}),
              ContainsRegex("^HASH +DEPLOYED +SIZE +STATE\n[0-9a-f]{12}  .* B  live\n[0-9a-f]{12}  .* B\n$"));
  EXPECT_THAT(output_of({"rollback", "life"}), StartsWith("life: life, version 3: GET /life"));
  EXPECT_EQ(output_of({"source", "life"}), first);
  EXPECT_EQ(output_of({"restart", "life"}), "life, version 3, is restarted\n");

  EXPECT_THAT(complaint_of({"rollback", "life", "ffff"}), HasSubstr("begins with ffff"));
  for (const char* command : {"show", "source", "restart"}) {
    EXPECT_EQ(complaint_of({command, "no/such"}),
              std::string("cweb: ") + (std::string(command) == "restart" ? "not restarted: " : "") +
                  "there is no module named no/such: `cweb list` tells which there are\n");
  }
  const Finished removed = run({"remove", "none", "life"});
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_EQ(removed.out, "life is removed\n");
  EXPECT_THAT(removed.err, HasSubstr("there is no module named none"));
  const Finished empty = run({"list"});
  EXPECT_EQ(empty.exit_code, 0);
  EXPECT_EQ(empty.out, "");
  EXPECT_THAT(empty.err, HasSubstr("cweb deploy"));
}

TEST_F(ClientTest, names_are_the_user_s_and_json_is_the_server_s) {
  const std::string name = "a b+c?%&";
  const DeployAnswer deployed = deploy(server_.port(), answering_module(name, "/odd", "odd"));
  ASSERT_TRUE(deployed.deployed()) << deployed;
  EXPECT_THAT(output_of({"show", name}), StartsWith(name + ", version 1"));
  const json shown = json::parse(output_of({"show", name, "--json"}), nullptr, false);
  EXPECT_EQ(shown.value("name", ""), name);
  EXPECT_EQ(json::parse(output_of({"list", "--json"}), nullptr, false)["modules"].size(), 1U);
  EXPECT_EQ(json::parse(output_of({"restart", name, "--json"}), nullptr, false).value("status", ""), "restarted");
  EXPECT_EQ(json::parse(output_of({"remove", name, "--json"}), nullptr, false).value("status", ""), "removed");
  const Finished unknown = run({"show", "none", "--json"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(json::parse(unknown.out, nullptr, false).value("error", ""), "there is no module named none");
}

TEST_F(ClientTest, a_fault_is_told_by_show) {
  const std::string faulty =
      "#include <cweb.h>\n"
      "static int show(struct http_request *req, struct http_response *res) {\n"
      "    (void)req;\n"
      "    int *volatile nothing = 0;\n"
      "    res->status = *nothing;\n"
      "    return 0;\n"
      "}\n"
      "export module_t config = {.name = \"faulty\", .routes = {{\"/faulty\", \"GET\", show, NONE}}, .size = 1};\n";
  ASSERT_TRUE(deploy(server_.port(), faulty).deployed());
  HttpClient client(server_.port());
  EXPECT_EQ(client.get("/faulty").status, 500);
  EXPECT_THAT(output_of({"show", "faulty"}),
              AllOf(HasSubstr("recent faults"), HasSubstr("at module.c:5:"), HasSubstr("in show"),
                    HasSubstr("5 |     res->status = *nothing;\n")));
}

TEST_F(ClientTest, results_that_cannot_be_written_are_a_failure) {
  const auto run = [this](const std::string& shell, const std::vector<std::string>& arguments) {
    std::vector<std::string> command{"sh", "-c", shell, "sh"};
    for (const std::string& word : user_.command(arguments)) command.push_back(word);
    return run_program(command);
  };
  const std::string sentence = "cweb: standard output cannot be written: ";
  // More than stdio keeps, less than that, and with no connection that could have taken the number of what is closed.
  ASSERT_TRUE(deploy(server_.port(), answering_module("long", "/long", std::string(5000, 'x'))).deployed());
  const std::string url = server_.url();
  for (const std::vector<std::string>& command : {std::vector<std::string>{"source", "long", "--server", url},
                                                  {"list", "--server", url},
                                                  {"list", "--json", "--server", url},
                                                  {"--version"},
                                                  {"deploy", "--help"}}) {
    const Finished full = run("exec \"$@\" > /dev/full", command);
    EXPECT_EQ(full.exit_code, 1) << command.front();
    EXPECT_EQ(full.err, sentence + "No space left on device\n") << command.front();
    const Finished closed = run("exec \"$@\" >&-", command);
    EXPECT_EQ(closed.exit_code, 1) << command.front();
    EXPECT_EQ(closed.err, sentence + "Bad file descriptor\n") << command.front();
  }
  // The reader has gone before anything is written.
  const std::string gone = user_.home().path("gone");
  EXPECT_EQ(run("mkfifo " + gone + "; { cat " + gone + "; exec \"$@\"; } | { exec < /dev/null; : > " + gone + "; }",
                {"source", "long", "--server", url})
                .err,
            "")
      << "a reader that has had enough wants no word about it";
}

TEST(ClientVersion, names_the_libraries_and_the_processor) {
  const Finished version = run_program({cweb_binary(), "--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(
      version.out,
      ContainsRegex("^cweb [0-9.]+\nLLVM 19\\.[0-9.]+\nOpenSSL 3\\.[0-9.]+\nmodules are compiled for [a-z0-9-]+\n$"));
}

}  // namespace
}  // namespace cweb::e2e
