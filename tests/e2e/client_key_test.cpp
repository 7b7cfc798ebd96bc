// Which key goes to which server, and how it is saved.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "canned_server.h"
#include "client_user.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

const std::string key = "correct-horse-battery-staple";

class ClientKeyTest : public testing::Test {
 protected:
  Finished list(const std::vector<std::string>& more = {}, const std::vector<std::string>& variables = {}) const {
    std::vector<std::string> arguments{"list", "--server", server_.url()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return user_.run(arguments, variables);
  }
  Finished log_in(const std::string& input) const {
    return user_.run_with_input(input, {"login", "--server", server_.url()});
  }

  const ClientUser user_;
  ServerProcess server_{{}, {"CWEB_ADMIN_KEY=" + key, "CWEB_READ_KEY=only-to-look-at"}};
};

TEST_F(ClientKeyTest, a_key_is_asked_for_and_taken_from_the_command_line_or_the_environment) {
  const Finished without = list();
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.err, AllOf(HasSubstr("needs the admin key"), HasSubstr("cweb login"), HasSubstr("CWEB_ADMIN_KEY"),
                                 HasSubstr("--key")));
  const Finished wrong = list({"--key", "wrong"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err,
              AllOf(HasSubstr("the key is not the admin key of " + server_.url()), Not(HasSubstr("wrong\n"))));
  EXPECT_EQ(list({"--key", key}).exit_code, 0);
  EXPECT_EQ(list({}, {"CWEB_ADMIN_KEY=" + key}).exit_code, 0);
  EXPECT_EQ(list({"--key", key}, {"CWEB_ADMIN_KEY=wrong"}).exit_code, 0);
  EXPECT_EQ(list({"--key", "two words"}).exit_code, 2);
  const Finished reader = user_.run({"source", "x", "--server", server_.url(), "--key", "only-to-look-at"});
  EXPECT_EQ(reader.exit_code, 1);
  EXPECT_THAT(reader.err, AllOf(HasSubstr("does not let this through"), HasSubstr("the read key may")));
}

TEST_F(ClientKeyTest, login_saves_a_key_that_opens_the_server) {
  const Finished wrong = log_in("not-the-key\n");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("this is not the admin key of " + server_.url() + ": nothing is saved"));
  EXPECT_EQ(log_in("").exit_code, 1);
  EXPECT_FALSE(user_.home().has(user_.credentials()));

  const Finished saved = log_in(key + "\r\n");
  EXPECT_EQ(saved.exit_code, 0) << saved.err;
  EXPECT_THAT(saved.err, HasSubstr("is saved in " + user_.home().path(user_.credentials())));
  struct stat status{};
  ASSERT_EQ(stat(user_.home().path(user_.credentials()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(list().exit_code, 0);

  std::filesystem::permissions(user_.home().path(user_.credentials()), std::filesystem::perms(0644));
  const Finished open = list();
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_THAT(open.err, HasSubstr("chmod 600 " + user_.home().path(user_.credentials())));
}

TEST_F(ClientKeyTest, a_saved_key_goes_to_no_other_server) {
  ASSERT_EQ(log_in(key).exit_code, 0);
  const CannedServer other(CannedServer::json(401, "{\"error\":\"a key is needed\"}"));
  // The same name, and another port; and a server that asks the client to go on elsewhere.
  for (const char* command : {"list", "login"}) user_.run_with_input("", {command, "--server", other.url()});
  const CannedServer redirecting("HTTP/1.1 307 Temporary Redirect\r\nLocation: " + other.url() +
                                 "/mgnt\r\nContent-Length: 0\r\n\r\n");
  user_.run({"list", "--server", redirecting.url(), "--key", key});
  EXPECT_EQ(other.requests().size(), 2U);
  EXPECT_THAT(other.requests(), Each(Not(HasSubstr(key))));
}

TEST_F(ClientKeyTest, login_asks_for_no_key_that_nobody_needs) {
  ServerProcess open;
  const Finished finished = user_.run_with_input(key, {"login", "--server", open.url()});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.err, HasSubstr("needs no key, and none is saved"));
  EXPECT_FALSE(user_.home().has(user_.credentials()));
}

TEST_F(ClientKeyTest, a_key_that_travels_in_the_open_is_warned_of) {
  // A proxy, so that a name of another machine leads to a server of the test's.
  const CannedServer proxy(CannedServer::json(200, "{\"modules\":[]}"));
  const Finished open =
      user_.run({"list", "--json", "--server", "http://cweb.invalid", "--key", key}, {"http_proxy=" + proxy.url()});
  EXPECT_EQ(open.exit_code, 0) << open.err;
  EXPECT_THAT(open.err,
              testing::MatchesRegex("cweb: warning: the key travels to http://cweb.invalid:80 in the open[^\n]*\n"));
  EXPECT_EQ(list({"--key", key, "--json"}).err, "");
}

}  // namespace
}  // namespace cweb::e2e
