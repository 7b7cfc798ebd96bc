// The audit trail: every deploy and delete leaves one line of the log, done or refused, and nobody forges one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "deploying.h"
#include "http_client.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The lines that have " audit " where the server puts it: behind time and level.
std::vector<std::string> audit_lines(const ServerProcess& server) {
  std::vector<std::string> lines;
  std::istringstream log(server.log());
  for (std::string line; std::getline(log, line);) {
    if (testing::Matches(ContainsRegex("^[0-9-]+T[0-9:.+-]+ (info|warning) audit "))(line)) lines.push_back(line);
  }
  return lines;
}

TEST(AuditTest, what_only_looks_like_a_check_is_the_deploy_that_it_was) {
  ServerProcess server;
  HttpClient client(server.port());
  ASSERT_EQ(deploy(client, answering_module("a", "/a", "x"), "?check=1&check=0").outcome(), "deployed");
  ASSERT_EQ(deploy(client, answering_module("b", "/b", "x"), "?chec%6B=1").outcome(), "checked");
  EXPECT_THAT(audit_lines(server),
              ElementsAre(ContainsRegex("action=deploy module=\"a\""), ContainsRegex("action=check module=\"b\"")));
}

TEST(AuditTest, each_deploy_and_delete_is_a_line_with_time_peer_way_result_and_milliseconds) {
  ServerProcess server;
  HttpClient client(server.port());
  const std::string source = answering_module("seen", "/seen", "x");
  ASSERT_TRUE(deploy(client, source).deployed());
  deploy(client, source);
  ASSERT_EQ(deploy(client, source, "?check=1").outcome(), "checked");
  deploy(client, "int x = ;");
  client.send("DELETE", "/mgnt/modules/seen");
  client.send("DELETE", "/mgnt/modules/seen");
  const std::string who = " audit peer=127\\.0\\.0\\.1:[0-9]+ auth=keyless-loopback ";
  const std::string what = "module=\"seen\" version=1 hash=[0-9a-f]+ ";
  const std::string time = " ms=[0-9]+\\.[0-9]$";
  EXPECT_THAT(
      audit_lines(server),
      ElementsAre(ContainsRegex(who + "action=deploy " + what + "result=deployed status=200" + time),
                  ContainsRegex(who + "action=deploy " + what + "result=unchanged status=200" + time),
                  ContainsRegex(who + "action=check module=\"seen\" hash=[0-9a-f]+ result=checked status=200" + time),
                  ContainsRegex(who +
                                "action=deploy hash=[0-9a-f]+ result=failed status=422 stage=compile "
                                "reason=\".*\"" +
                                time),
                  ContainsRegex(who + "action=delete " + what + "result=removed status=200" + time),
                  ContainsRegex(who +
                                "action=delete module=\"seen\" result=failed status=404 "
                                "reason=\"no such module\"" +
                                time)));
}

TEST(AuditTest, reading_leaves_none) {
  ServerProcess server;
  HttpClient client(server.port());
  for (const char* path : {"/mgnt", "/mgnt/modules/x", "/mgnt/metrics", "/mgnt/health", "/other"}) client.get(path);
  EXPECT_THAT(audit_lines(server), IsEmpty());
}

TEST(AuditTest, who_is_refused_is_written_down_and_so_is_every_wrong_key) {
  ServerProcess server({}, {"CWEB_ADMIN_KEY=the-key-of-this-test"});
  HttpClient client(server.port());
  client.post("/mgnt", "x", {{"Origin", "http://evil.example"}});
  client.send("DELETE", "/mgnt/modules/x");
  client.get("/mgnt", {{"X-API-Key", "guess"}});
  EXPECT_THAT(audit_lines(server),
              ElementsAre(ContainsRegex("auth=none action=deploy result=refused status=403 reason=\".*origin.*\""),
                          ContainsRegex("auth=none action=delete module=\"x\" result=refused status=401"),
                          ContainsRegex("auth=none action=other request=\"GET /mgnt\" result=refused status=401")));
  EXPECT_THAT(server.log(), testing::Not(HasSubstr("guess"))) << "a wrong key may be a right one with a slip";
}

TEST(AuditTest, nobody_forges_a_line) {
  ServerProcess server;
  HttpClient client(server.port());
  client.send("DELETE", "/mgnt/modules/x%0A2026-01-01T00:00:00.000+00:00%20info%20audit%20peer=forged%22%0D%1B%5B2J");
  deploy(client,
         "#include <cweb.h>\nmodule_t config = {.name = \"x\" \"\\n\", };\n"
         "int y = \"\n2026-01-01T00:00:00.000+00:00 info audit peer=forged\n\";\n");
  const std::vector<std::string> lines = audit_lines(server);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0],
              HasSubstr(R"(module="x\x0a2026-01-01T00:00:00.000+00:00 info audit peer=forged\"\x0d\x1b[2J")"));
  for (const std::string& line : lines) EXPECT_THAT(line, ContainsRegex("audit peer=127"));
}

}  // namespace
}  // namespace cweb::e2e
