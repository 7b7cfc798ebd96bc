#include "mgnt/deploy_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

DeployReport deployed_counter() {
  DeployReport report;
  report.status = DeployReport::Status::deployed;
  report.http_status = 200;
  report.module = ModuleSummary{.name = "counter",
                                .author = "somebody",
                                .hash = "abc",
                                .version = 3,
                                .state = "live",
                                .routes = {{"GET", "/counter"}, {"DELETE", "/counter"}},
                                .websockets = {"/live"},
                                .deployed_at = "2026-01-01T00:00:00.000Z"};
  report.timings = {.compile_ms = 4.25, .hop_ms = 0.31, .link_ms = 0.15, .onload_ms = 0.02, .total_ms = 4.9};
  return report;
}

TEST(ReportText, of_a_deploy_tells_name_version_routes_and_milliseconds) {
  EXPECT_EQ(to_text(deployed_counter()),
            "counter, version 3, is deployed\n"
            "  GET     /counter\n"
            "  DELETE  /counter\n"
            "  WebSocket /live\n"
            "compile 4.2 ms, hop 0.3 ms, link 0.1 ms, onload 0.0 ms, total 4.9 ms\n");
}

TEST(ReportText, shows_warnings_as_the_compiler_prints_them_and_notices) {
  DeployReport report = deployed_counter();
  report.rendered = "module.c:3:5: warning: unused variable 'x' [-Wunused-variable]\n    3 | int x;\n      |     ^\n";
  report.notices = {"GET /a is covered by a pattern"};
  EXPECT_THAT(to_text(report), HasSubstr(report.rendered));
  EXPECT_THAT(to_text(report), HasSubstr("note: GET /a is covered by a pattern\n"));
}

TEST(ReportText, of_a_failure_tells_stage_message_and_what_keeps_serving) {
  DeployReport report = failed_report(422, "compile", "the source does not compile");
  report.rendered = "module.c:1:1: error: expected ';'";
  report.keeps_serving = "counter, version 2";
  EXPECT_EQ(to_text(report),
            "not deployed (compile): the source does not compile\n"
            "module.c:1:1: error: expected ';'\n"
            "counter, version 2, keeps serving\n");
}

TEST(ReportText, says_first_that_a_source_was_repaired_and_how_to_avoid_it) {
  for (DeployReport report : {deployed_counter(), failed_report(422, "compile", "the source does not compile")}) {
    report.repaired = true;
    const std::string text = to_text(report);
    EXPECT_THAT(text, StartsWith("note: The source came without its newlines"));
    const std::string first_line = text.substr(0, text.find('\n'));
    EXPECT_THAT(first_line, HasSubstr("put back"));
    EXPECT_THAT(first_line, HasSubstr("line numbers here are not your file's"));
    EXPECT_THAT(first_line, HasSubstr("--data-binary @file"));
  }
}

TEST(ReportText, says_of_unchanged_and_checked_sources_what_did_not_happen) {
  DeployReport report = deployed_counter();
  report.status = DeployReport::Status::unchanged;
  EXPECT_THAT(to_text(report), StartsWith("counter, version 3, is unchanged"));
  report.status = DeployReport::Status::checked;
  EXPECT_THAT(to_text(report), StartsWith("counter is fine; it was checked and not deployed"));
  EXPECT_THAT(to_text(report), Not(HasSubstr("onload")));
}

TEST(ReportJson, of_a_deploy_has_module_and_timings) {
  const auto json = to_json(deployed_counter());
  EXPECT_EQ(json["status"], "deployed");
  EXPECT_FALSE(json.contains("stage"));
  EXPECT_FALSE(json.contains("error"));
  EXPECT_EQ(json["module"]["name"], "counter");
  EXPECT_EQ(json["module"]["version"], 3);
  ASSERT_EQ(json["module"]["routes"].size(), 2U);
  EXPECT_EQ(json["module"]["routes"][1]["method"], "DELETE");
  EXPECT_EQ(json["module"]["routes"][1]["path"], "/counter");
  ASSERT_EQ(json["module"]["websockets"].size(), 1U);
  EXPECT_EQ(json["module"]["websockets"][0]["path"], "/live");
  for (const char* step : {"compile", "hop", "link", "onload", "total"}) EXPECT_TRUE(json["timings_ms"].contains(step));
  EXPECT_DOUBLE_EQ(json["timings_ms"]["total"], 4.9);
  EXPECT_TRUE(json["diagnostics"].is_array());
}

TEST(ReportJson, of_a_failure_has_stage_error_and_every_diagnostic_with_its_fixits) {
  DeployReport report = failed_report(422, "compile", "the source does not compile");
  jit::Diagnostic diagnostic;
  diagnostic.severity = jit::Diagnostic::Severity::warning;
  diagnostic.position = {7, 9};
  diagnostic.message = "unused";
  diagnostic.option = "-Wunused";
  diagnostic.fixits.push_back({{7, 9}, {7, 10}, ";"});
  report.diagnostics.push_back(diagnostic);
  const auto json = to_json(report);
  EXPECT_EQ(json["status"], "failed");
  EXPECT_EQ(json["stage"], "compile");
  EXPECT_EQ(json["error"], "the source does not compile");
  ASSERT_EQ(json["diagnostics"].size(), 1U);
  const auto& shown = json["diagnostics"][0];
  EXPECT_EQ(shown["severity"], "warning");
  EXPECT_EQ(shown["line"], 7);
  EXPECT_EQ(shown["column"], 9);
  EXPECT_EQ(shown["message"], "unused");
  EXPECT_EQ(shown["option"], "-Wunused");
  ASSERT_EQ(shown["fixits"].size(), 1U);
  EXPECT_EQ(shown["fixits"][0]["begin"]["line"], 7);
  EXPECT_EQ(shown["fixits"][0]["end"]["column"], 10);
  EXPECT_EQ(shown["fixits"][0]["text"], ";");
}

TEST(ReportJson, tells_of_a_repair) {
  DeployReport report = deployed_counter();
  report.repaired = true;
  const auto json = to_json(report);
  EXPECT_EQ(json["repaired"], true);
  EXPECT_THAT(json["notices"][0].get<std::string>(), HasSubstr("--data-binary"));
}

TEST(ReportJson, is_valid_utf8_whatever_the_source_held) {
  DeployReport report = failed_report(422, "compile", "caf\xe9");
  report.rendered = "\xff\xfe \xed\xa0\x80";
  const std::string text = json_text(to_json(report));
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  EXPECT_EQ(nlohmann::json::parse(text)["error"], "caf\xef\xbf\xbd");
}

TEST(ReportText, without_excerpts_has_the_messages_and_their_places_alone) {
  DeployReport report = failed_report(422, "compile", "the source does not compile");
  report.rendered =
      "In file included from module.c:1:\n"
      "module.c:11:62: error: use of undeclared identifier 'coutn'; did you mean 'count'?\n"
      "   11 |     snprintf(res->body, HTTP_RESPONSE_SIZE, \"%d | %d\", secret);\n"
      "      |                                                    ^~~~~\n"
      "      |                                                    count\n"
      "module.c:12345:1: note: a | b\n"
      "12345 | secret\n"
      "      | ^\n"
      "error: no place";
  leave_out_excerpts(report);
  EXPECT_EQ(report.rendered,
            "In file included from module.c:1:\n"
            "module.c:11:62: error: use of undeclared identifier 'coutn'; did you mean 'count'?\n"
            "module.c:12345:1: note: a | b\n"
            "error: no place\n");
}

}  // namespace
}  // namespace cweb::mgnt
