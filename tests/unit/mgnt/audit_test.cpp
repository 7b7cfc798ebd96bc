#include "mgnt/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "peers.h"

namespace cweb::mgnt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

server::ManagementRequest request(std::string method, std::string path, std::string query = "") {
  server::ManagementRequest made;
  made.method = std::move(method);
  made.path = std::move(path);
  made.query = std::move(query);
  return made;
}

Admission admitted_by(Admission::How how) {
  Admission admission;
  admission.how = how;
  return admission;
}

Admission refused(int status, std::string sentence) {
  Admission admission;
  admission.status = status;
  admission.sentence = std::move(sentence);
  return admission;
}

TEST(Audit, a_deploy_is_one_line_that_says_who_what_and_how_it_ended) {
  AuditRecord record = begin_record(request("POST", "/mgnt"));
  DeployReport report;
  report.status = DeployReport::Status::deployed;
  report.http_status = 200;
  report.hash = "abc123";
  report.module = ModuleSummary{.name = "counter", .version = 7};
  record.set(report);
  EXPECT_EQ(audit_line(record, admitted_by(Admission::How::key), peer_at("192.0.2.7", 5555), 200, 4.25),
            R"(audit peer=192.0.2.7:5555 auth=key action=deploy module="counter" version=7 hash=abc123 )"
            "result=deployed status=200 ms=4.2");
}

TEST(Audit, a_failed_deploy_names_the_stage_and_whose_it_would_have_been) {
  AuditRecord record = begin_record(request("PUT", "/mgnt/"));
  DeployReport report = failed_report(422, "compile", "the source does not compile");
  report.name = "counter";
  report.hash = "abc123";
  record.set(report);
  EXPECT_EQ(audit_line(record, admitted_by(Admission::How::keyless), peer_at("::1", 5555), 422, 1),
            R"(audit peer=[::1]:5555 auth=keyless-loopback action=deploy module="counter" hash=abc123 result=failed )"
            R"(status=422 stage=compile reason="the source does not compile" ms=1.0)");
}

TEST(Audit, a_delete_tells_what_was_removed) {
  AuditRecord record = begin_record(request("DELETE", "/mgnt/modules/c%6Funter"));
  record.set(Deployer::Removal{.result = Deployer::Removal::Result::removed,
                               .module = ModuleSummary{.name = "counter", .hash = "abc", .version = 3}});
  EXPECT_THAT(audit_line(record, admitted_by(Admission::How::key), peer_at("127.0.0.1"), 200, 1),
              HasSubstr(R"(action=delete module="counter" version=3 hash=abc result=removed status=200)"));
  record = begin_record(request("DELETE", "/mgnt/modules/x"));
  record.set(Deployer::Removal{});
  EXPECT_THAT(audit_line(record, admitted_by(Admission::How::key), peer_at("127.0.0.1"), 404, 1),
              HasSubstr(R"(action=delete module="x" result=failed status=404 reason="no such module")"));
}

TEST(Audit, a_refusal_tells_what_was_wanted_and_why_not) {
  const AuditRecord record = begin_record(request("POST", "/mgnt"));
  EXPECT_THAT(audit_line(record, refused(403, "not you"), peer_at("127.0.0.1"), 403, 0),
              HasSubstr(R"(auth=none action=deploy result=refused status=403 reason="not you")"));
}

TEST(Audit, deploys_checks_and_deletes_leave_a_line_and_reading_does_not_but_with_a_wrong_key) {
  const Admission keyless = admitted_by(Admission::How::keyless);
  for (const auto& asked : {request("POST", "/mgnt"), request("PUT", "/mgnt/"), request("POST", "/mgnt", "check=1"),
                            request("DELETE", "/mgnt/modules/x")}) {
    EXPECT_TRUE(is_audited(begin_record(asked), keyless)) << asked.method << " " << asked.path;
    EXPECT_TRUE(is_audited(begin_record(asked), refused(403, ""))) << asked.method << " " << asked.path;
  }
  Admission wrong = refused(401, "wrong");
  wrong.wrong_key = true;
  for (const auto& asked : {request("GET", "/mgnt"), request("GET", "/mgnt/modules/x"), request("POST", "/mgnt/x"),
                            request("DELETE", "/mgnt")}) {
    EXPECT_FALSE(is_audited(begin_record(asked), keyless)) << asked.method << " " << asked.path;
    EXPECT_TRUE(is_audited(begin_record(asked), wrong)) << asked.method << " " << asked.path;
  }
  EXPECT_THAT(audit_line(begin_record(request("GET", "/mgnt")), wrong, peer_at("127.0.0.1"), 401, 0),
              HasSubstr(R"(action=other request="GET /mgnt" result=refused status=401)"));
}

/// Whoever understands the query says that it is a check.
TEST(Audit, a_post_is_a_deploy_until_its_query_is_understood) {
  EXPECT_EQ(begin_record(request("POST", "/mgnt", "check=1")).action, AuditRecord::Action::deploy);
  EXPECT_EQ(begin_record(request("PUT", "/mgnt", "check=0")).action, AuditRecord::Action::deploy);
}

TEST(Audit, nobody_writes_a_line_of_the_log_but_the_server) {
  const std::string evil =
      "x\"\\\r\n2026-01-01 info audit peer=127.0.0.1 auth=key\t\x1b[31m\x7f\xff" + std::string(1, '\0');
  AuditRecord record = begin_record(request("DELETE", "/mgnt/modules/" + evil));
  record.stage = "request";
  record.reason = evil;
  AuditRecord other = begin_record(request(evil, evil));
  Admission wrong = refused(401, evil);
  wrong.wrong_key = true;
  for (const std::string& line : {audit_line(record, admitted_by(Admission::How::key), peer_at("::1"), 400, 1),
                                  audit_line(other, wrong, peer_at("::1"), 401, 1)}) {
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) << line;
    EXPECT_THAT(line, AllOf(HasSubstr(R"(x\"\\\x0d\x0a2026)"), Not(HasSubstr("\" auth=key"))));
  }
}

TEST(Audit, long_texts_are_cut) {
  EXPECT_EQ(quote_for_log(std::string(200, 'a')), "\"" + std::string(200, 'a') + "\"");
  EXPECT_EQ(quote_for_log(std::string(1 << 20, 'a')), "\"" + std::string(200, 'a') + "...\"");
  EXPECT_EQ(quote_for_log(""), "\"\"");
}

}  // namespace
}  // namespace cweb::mgnt
