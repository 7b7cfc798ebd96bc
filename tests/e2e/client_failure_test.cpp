// Every command against a server that is not there, not ours, or not in order: one sentence that says what to do, and
// exit code 1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "canned_server.h"
#include "client_user.h"
#include "deploying.h"
#include "https_server.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

using Command = std::vector<std::string>;

const std::vector<Command> all_commands = {{"list"},          {"deploy", "a.c"}, {"show", "a"},
                                           {"source", "a"},   {"remove", "a"},   {"history", "a"},
                                           {"rollback", "a"}, {"restart", "a"},  {"login"}};
/// One of each kind: what reads, what changes, and what asks for a key.
const std::vector<Command> some_commands = {{"list", "--json"}, {"deploy", "--json", "a.c"}, {"login"}};

class ClientFailureTest : public testing::Test {
 protected:
  ClientFailureTest() { user_.home().write("a.c", answering_module("a", "/a", "a")); }

  /// The sentence of a command that fails.
  std::string complaint(Command command, const std::string& url) const {
    SCOPED_TRACE(testing::PrintToString(command));
    command.insert(command.end(), {"--server", url});
    const Finished finished = user_.run(command);
    EXPECT_EQ(finished.exit_code, 1) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_THAT(finished.err, AllOf(MatchesRegex("cweb: [^\n]*\n"), Not(HasSubstr("\033"))));
    return finished.err;
  }
  void expect_of(const std::vector<Command>& commands, const std::string& url, const std::string& sentence) const {
    for (const Command& command : commands) {
      EXPECT_THAT(complaint(command, url), HasSubstr(sentence)) << testing::PrintToString(command);
    }
  }
  void expect_of(const std::vector<Command>& commands, const CannedServer& server, const std::string& sentence) const {
    expect_of(commands, server.url(), sentence);
  }

  const ClientUser user_;
};

TEST_F(ClientFailureTest, nobody_listens) {
  uint16_t port = 0;
  {
    const CannedServer gone("");
    port = gone.port();
  }
  const std::string url = "http://localhost:" + std::to_string(port);
  expect_of(all_commands, url,
            "no server answers at " + url + ": start one with `cweb serve`, or name another with --server");
}

TEST_F(ClientFailureTest, it_does_not_speak_http) {
  expect_of(all_commands, CannedServer("SSH-2.0-OpenSSH_9.2\r\n\033[2J"), "is not cweb (it does not speak HTTP");
}

TEST_F(ClientFailureTest, it_is_a_web_server_but_not_cweb) {
  expect_of(all_commands,
            CannedServer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>hi</p>"),
            "is not cweb");
}

TEST_F(ClientFailureTest, its_json_is_garbage_with_escape_sequences) {
  expect_of(some_commands, CannedServer(CannedServer::json(200, "{\"modules\":\033]0;x\007")), "is not cweb");
}

TEST_F(ClientFailureTest, it_ends_in_the_middle_of_the_answer) {
  expect_of(
      all_commands,
      CannedServer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{\"modules\":"),
      "ended in the middle of the answer");
  EXPECT_THAT(complaint({"list"}, CannedServer("HTTP/1.1 200 OK\r\nContent-Ty").url()),
              HasSubstr("in the middle of the answer"));
}

TEST_F(ClientFailureTest, it_closes_without_an_answer) {
  expect_of(some_commands, CannedServer(""), "was closed without an answer");
  EXPECT_THAT(complaint({"deploy", "a.c"}, CannedServer("").url()), HasSubstr("whether it was done is not known"));
}

TEST_F(ClientFailureTest, it_sends_on_to_another_and_is_not_followed) {
  const CannedServer other("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const std::string location = "Location: " + other.url() + "/mgnt\r\n";
  expect_of(all_commands, CannedServer("HTTP/1.1 308 Permanent Redirect\r\n" + location + "Content-Length: 0\r\n\r\n"),
            "sends on to " + other.url() + ", and no key follows it there by itself");
  EXPECT_THAT(other.requests(), testing::IsEmpty());
}

TEST_F(ClientFailureTest, it_is_busy) {
  expect_of(some_commands,
            CannedServer(CannedServer::json(503, "{\"error\":\"the server is shutting \\u001b[31mdown\"}")),
            "cannot do it now: try again (the server is shutting ?[31mdown)");
}

TEST_F(ClientFailureTest, an_answer_without_end_is_given_up) {
  // More than is ever taken: the server sends the first bytes of it, and the client has to stop by itself.
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
  EXPECT_THAT(complaint({"list"}, CannedServer(head + std::string(size_t{65} << 20, ' ')).url()),
              HasSubstr("its answer does not end"));
}

TEST_F(ClientFailureTest, hostile_texts_reach_no_terminal) {
  const CannedServer server(CannedServer::json(
      200,
      R"({"status":"deployed","module":{"name":"a\u001b[31m","version":1,"routes":[{"method":"\u009b2J","path":"\u202e"}]},)"
      R"("rendered":"module.c:1:1: warning: \u001b]0;title\u0007\r\n","notices":["\u001b[2J"],"modules":[{"name":"\u001bc"}],"name":"\u001bc"})"));
  for (const Command& command : std::vector<Command>{{"deploy", "a.c"}, {"list"}, {"show", "a"}, {"rollback", "a"}}) {
    Command line = command;
    line.insert(line.end(), {"--server", server.url()});
    const Finished finished = user_.run(line);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    for (const char* bad : {"\033", "\007", "\r", "\xc2\x9b", "\xe2\x80\xae"}) {
      EXPECT_THAT(finished.out + finished.err, Not(HasSubstr(bad))) << testing::PrintToString(command);
    }
  }
}

TEST_F(ClientFailureTest, the_certificate_is_not_trusted_until_somebody_says_so) {
  const CertificateFolder certificate;
  ServerProcess server(certificate.options({"--redirect-http", "0"}));
  const std::string url = "https://localhost:" + std::to_string(server.port());
  expect_of(all_commands, url, "the certificate of " + url + " is not trusted (self");
  EXPECT_THAT(complaint({"list"}, url), AllOf(HasSubstr("--cacert FILE"), HasSubstr("--insecure")));
  EXPECT_EQ(user_.run({"deploy", "a.c", "--server", url, "--insecure"}).exit_code, 0);
  const Finished trusted = user_.run({"show", "a", "--server", url, "--cacert", certificate.certificate()});
  EXPECT_EQ(trusted.exit_code, 0) << trusted.err;
  EXPECT_THAT(complaint({"list", "--cacert", "none.pem"}, url), HasSubstr("--cacert none.pem cannot be used"));
  // A name that the certificate has not.
  const CertificateFolder stranger({.common_name = "example.com"});
  EXPECT_THAT(complaint({"list", "--cacert", stranger.certificate()}, url), HasSubstr("is not trusted"));

  const std::string plain = "http://localhost:" + std::to_string(server.port());
  expect_of(some_commands, plain, plain + " speaks HTTPS alone: use " + url);
  const std::string redirecting = "http://localhost:" + std::to_string(server.redirect_port());
  expect_of(some_commands, redirecting, redirecting + " sends on to " + url);
}

TEST_F(ClientFailureTest, plain_http_is_spoken_where_https_is_expected) {
  ServerProcess server;
  const std::string port = std::to_string(server.port());
  EXPECT_THAT(complaint({"list"}, "https://localhost:" + port),
              HasSubstr("does not speak HTTPS: use http://localhost:" + port));
}

TEST_F(ClientFailureTest, the_name_is_not_known) {
  EXPECT_THAT(complaint({"list"}, "http://no-such-host.invalid"),
              HasSubstr("the name no-such-host.invalid is not known"));
}

TEST_F(ClientFailureTest, a_proxy_of_the_environment_is_not_for_this_machine) {
  ServerProcess server;
  const CannedServer proxy("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
  const std::vector<std::string> variables = {"http_proxy=" + proxy.url()};
  EXPECT_EQ(user_.run({"list", "--server", server.url()}, variables).exit_code, 0);
  EXPECT_THAT(proxy.requests(), testing::IsEmpty());
  EXPECT_EQ(user_.run({"list", "--server", "http://cweb.invalid"}, variables).exit_code, 1);
  EXPECT_EQ(proxy.requests().size(), 1U);
}

}  // namespace
}  // namespace cweb::e2e
