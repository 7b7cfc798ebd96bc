#include "cli/client_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "cli/options.h"
#include "cli/server_choice.h"
#include "cli/suggestion.h"
#include "temporary_directory.h"

namespace cweb::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using What = ClientCommand::What;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "cweb");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

ClientCommand command_of(const std::vector<const char*>& arguments) {
  const CommandLine line = parse(arguments);
  const auto* command = std::get_if<ClientCommand>(&line);
  EXPECT_NE(command, nullptr) << (std::holds_alternative<PrintAndExit>(line) ? std::get<PrintAndExit>(line).text : "");
  return command == nullptr ? ClientCommand{} : *command;
}

std::string usage_fault(const std::vector<const char*>& arguments) {
  const CommandLine line = parse(arguments);
  const auto* done = std::get_if<PrintAndExit>(&line);
  EXPECT_NE(done, nullptr);
  EXPECT_EQ(done == nullptr ? 0 : done->exit_code, 2);
  return done == nullptr ? "" : done->text;
}

TEST(ClientCommandLine, has_files_an_ini_and_the_server) {
  const ClientCommand deploy = command_of(
      {"deploy", "a.c", "-", "--check", "-c", "x.ini", "--server", "http://h:1", "--key", "k", "--insecure", "--json"});
  EXPECT_EQ(deploy.what, What::deploy);
  EXPECT_THAT(deploy.files, ElementsAre("a.c", "-"));
  EXPECT_EQ(deploy.ini, "x.ini");
  EXPECT_TRUE(deploy.check_only && deploy.json && deploy.server.insecure);
  EXPECT_EQ(deploy.server.url, "http://h:1");
  EXPECT_EQ(deploy.server.key, "k");
}

TEST(ClientCommandLine, takes_any_name_of_a_module) {
  EXPECT_THAT(command_of({"show", "list"}).modules, ElementsAre("list"));
  EXPECT_THAT(command_of({"remove", "deploy", "b"}).modules, ElementsAre("deploy", "b"));
  const ClientCommand rollback = command_of({"rollback", "counter", "0b60"});
  EXPECT_THAT(rollback.modules, ElementsAre("counter"));
  EXPECT_EQ(rollback.hash, "0b60");
  EXPECT_EQ(command_of({"login", "--cacert", "ca.pem"}).server.ca_file, "ca.pem");
}

TEST(ClientCommandLine, may_have_the_options_of_a_server_before_the_command) {
  const ClientCommand list = command_of({"--server", "http://h:1", "--key=k", "--json", "--cacert", "c.pem", "list"});
  EXPECT_EQ(list.what, What::list);
  EXPECT_EQ(list.server.url, "http://h:1");
  EXPECT_EQ(list.server.key, "k");
  EXPECT_EQ(list.server.ca_file, "c.pem");
  EXPECT_TRUE(list.json);
  EXPECT_THAT(command_of({"--insecure", "remove", "a", "b"}).modules, ElementsAre("a", "b"));
  EXPECT_THAT(usage_fault({"--json", "watch"}), HasSubstr("no option '--json'"));
  EXPECT_THAT(usage_fault({"--server", "list"}), HasSubstr("--server goes behind the command: cweb list --server"));
  EXPECT_THAT(usage_fault({"--port", "1", "serve"}), HasSubstr("--port goes behind the command: cweb serve --port"));
}

TEST(ClientCommandLine, takes_no_argument_for_the_value_of_an_empty_variable) {
  EXPECT_THAT(usage_fault({"deploy", "--server=", "hello.c"}), HasSubstr("deploy: --server= has no value"));
  EXPECT_THAT(usage_fault({"--server=", "deploy", "hello.c"}), HasSubstr("deploy: --server= has no value"));
  EXPECT_THAT(usage_fault({"deploy", "--config=", "hello.c"}), HasSubstr("--config= has no value"));
  EXPECT_THAT(usage_fault({"run", "--port=", "9000"}), HasSubstr("--port= has no value"));
  EXPECT_THAT(usage_fault({"serve", "--modules=", "--cert=c"}), HasSubstr("--modules= has no value"));
  EXPECT_THAT(usage_fault({"list", "--sever="}), HasSubstr("no option '--sever'"));
  EXPECT_EQ(command_of({"list", "--key=k="}).server.key, "k=");
  EXPECT_THAT(command_of({"deploy", "--", "--server="}).files, ElementsAre("--server="));
}

TEST(ClientCommandLine, that_is_wrong_is_one_sentence_with_what_was_meant_perhaps) {
  EXPECT_THAT(usage_fault({"delpoy"}), HasSubstr("there is no command 'delpoy': did you mean 'deploy'?"));
  EXPECT_THAT(usage_fault({"frobnicate"}), HasSubstr("there is no command 'frobnicate' (cweb --help"));
  EXPECT_THAT(usage_fault({"list", "--jsn"}), AllOf(HasSubstr("no option '--jsn'"), HasSubstr("'--json'")));
  EXPECT_THAT(usage_fault({"show", "--sever=http://a"}),
              AllOf(HasSubstr("no option '--sever'"), HasSubstr("'--server'")));
  EXPECT_THAT(usage_fault({"serve", "--prot", "1"}), HasSubstr("'--port'"));
  EXPECT_THAT(usage_fault({"show"}), HasSubstr("show: NAME is required"));
  EXPECT_THAT(usage_fault({"show", "a", "b"}), HasSubstr("b"));
  EXPECT_THAT(usage_fault({"show", ""}), HasSubstr("empty"));
  for (const char* hash : {"0b6", "0b60xyz", "0B60"}) {
    EXPECT_THAT(usage_fault({"rollback", "counter", hash}), HasSubstr("at least 4 digits of 0-9 and a-f"));
  }
  EXPECT_THAT(usage_fault({"list", "--insecure", "--cacert", "x"}), HasSubstr("--cacert"));
  EXPECT_EQ(usage_fault({"lits\033[2J"}).find('\033'), std::string::npos);
}

TEST(ClientCommandLine, has_help_with_examples_for_each_command) {
  for (const char* name : {"deploy", "list", "show", "source", "remove", "history", "rollback", "restart", "login"}) {
    const CommandLine line = parse({name, "--help"});
    ASSERT_TRUE(std::holds_alternative<PrintAndExit>(line)) << name;
    EXPECT_EQ(std::get<PrintAndExit>(line).exit_code, 0);
    EXPECT_THAT(std::get<PrintAndExit>(line).text, HasSubstr("Examples:\n  cweb " + std::string(name)));
  }
  EXPECT_TRUE(std::holds_alternative<PrintVersion>(parse({"--version"})));
}

TEST(NearestName, is_a_few_slips_away) {
  const std::vector<std::string> names{"deploy", "list", "login", "--json"};
  EXPECT_EQ(nearest_name("depoly", names), "deploy");
  EXPECT_EQ(nearest_name("lst", names), "list");
  EXPECT_EQ(nearest_name("xyz", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'x'), names), "");
}

/// The environment of a user who has set nothing, whose home is a directory of the test's own.
class ServerChoice : public testing::Test {
 protected:
  ServerChoice() {
    for (const char* name : {"CWEB_SERVER", "CWEB_ADMIN_KEY", "XDG_CONFIG_HOME"}) unsetenv(name);
    setenv("HOME", home_.path().c_str(), 1);
  }
  ~ServerChoice() override {
    for (const char* name : {"CWEB_SERVER", "CWEB_ADMIN_KEY"}) unsetenv(name);
  }
  void save(const std::string& text) {
    std::filesystem::create_directories(home_.path(".config/cweb"));
    home_.write(".config/cweb/credentials", text);
    std::filesystem::permissions(home_.path(".config/cweb/credentials"), std::filesystem::perms(0600));
  }

  const TemporaryDirectory home_;
};

TEST_F(ServerChoice, takes_the_option_then_the_environment_then_the_ini) {
  EXPECT_EQ(choose_server({}, ""), "http://localhost:8080");
  EXPECT_EQ(choose_server({}, "http://ini:1"), "http://ini:1");
  setenv("CWEB_SERVER", "http://env:1/mgnt", 1);
  EXPECT_EQ(choose_server({}, "http://ini:1"), "http://env:1");
  EXPECT_EQ(choose_server({.url = "http://option:1"}, "http://ini:1"), "http://option:1");
  setenv("CWEB_SERVER", "env:1", 1);
  const auto bad = choose_server({}, "");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("CWEB_SERVER: "));
}

TEST_F(ServerChoice, sends_a_saved_key_to_its_own_server_alone) {
  save("http://localhost:8080 saved\n");
  EXPECT_EQ(choose_address({}, "")->key, "saved");
  EXPECT_EQ(choose_address({}, "http://other:8080")->key, "");
  EXPECT_EQ(choose_address({.url = "https://localhost:8080"}, "")->key, "");
  EXPECT_EQ(choose_address({.key = "given"}, "")->key, "given");
  setenv("CWEB_ADMIN_KEY", "environment", 1);
  EXPECT_EQ(choose_address({}, "")->key, "environment");
  EXPECT_EQ(getenv("CWEB_ADMIN_KEY"), nullptr) << "it is taken out of the environment";
  setenv("CWEB_ADMIN_KEY", "two words", 1);
  EXPECT_FALSE(choose_address({}, ""));
}

}  // namespace
}  // namespace cweb::cli
