#include "mgnt/fault_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;
using testing::Not;

FaultReport report_of(std::vector<FaultFrame> chain, std::string source_line = {}) {
  return {.id = "0123456789ab",
          .time = "2026-01-02T03:04:05.678Z",
          .module = "crashing",
          .hash = "abc",
          .version = 3,
          .what = "null pointer: write to address 0 (SIGSEGV)",
          .signal = "SIGSEGV",
          .address = 0,
          .chain = std::move(chain),
          .frames_left_out = 0,
          .call = "GET /crash",
          .request = "GET /crash\nHost: a\n",
          .consequence = "a fresh instance answers, 1.0 ms later",
          .source_line = std::move(source_line)};
}

TEST(FaultReportTest, TextTellsTheLineTheChainTheRequestAndWhatBecameOfIt) {
  EXPECT_EQ(to_text(report_of({{"poke", {12, 7}}, {"crash", {20, 5}}}, "  x = *nothing;")),
            "fault 0123456789ab in module crashing, version 3: null pointer: write to address 0 (SIGSEGV) at "
            "module.c:12:7 in poke\n"
            "   12 |   x = *nothing;\n"
            "      |       ^\n"
            "  in   module.c:12:7 in poke\n"
            "  from module.c:20:5 in crash\n"
            "  during GET /crash\n"
            "    GET /crash\n"
            "    Host: a\n"
            "  a fresh instance answers, 1.0 ms later\n");
}

TEST(FaultReportTest, WhatWasNeverLiveHasNoVersion) {
  FaultReport report = report_of({});
  report.version = 0;
  EXPECT_THAT(to_text(report), HasSubstr("fault 0123456789ab in module crashing: null pointer"));
}

TEST(FaultReportTest, TheCaretStandsUnderItsColumnBehindTabs) {
  EXPECT_THAT(to_text(report_of({{"poke", {12, 6}}}, "\t\tx = 1;")),
              HasSubstr("   12 | \t\tx = 1;\n      | \t\t   ^\n"));
}

TEST(FaultReportTest, ThereIsNoCaretWhereTheColumnIsNotKnownOrBehindTheLine) {
  for (const unsigned column : {0U, 9U, 4000U}) {
    const std::string text = to_text(report_of({{"poke", {12, column}}}, "  x = 1;"));
    EXPECT_THAT(text, HasSubstr("   12 |   x = 1;\n"));
    EXPECT_THAT(text, Not(HasSubstr("^")));
  }
}

TEST(FaultReportTest, ARecursionIsALineWithItsCount) {
  std::vector<FaultFrame> chain(60, {"deeper", {5, 12}});
  chain.push_back({"crash", {20, 5}});
  FaultReport report = report_of(chain);
  report.frames_left_out = 17'000;
  EXPECT_THAT(to_text(report), HasSubstr("  in   module.c:5:12 in deeper\n"
                                         "       and 59 times more from there\n"
                                         "  from module.c:20:5 in crash\n"
                                         "  ... and 17000 more calls\n"));
  // Two are no recursion worth a line of its own.
  EXPECT_THAT(to_text(report_of({{"deeper", {5, 12}}, {"deeper", {5, 12}}})),
              HasSubstr("  in   module.c:5:12 in deeper\n  from module.c:5:12 in deeper\n"));
}

TEST(FaultReportTest, TheSourceLineIsThatOfTheInnermostPlaceThatIsKnown) {
  const FaultReport report = report_of({{"unknown", {0, 0}}, {"crash", {20, 5}}}, "    poke();");
  EXPECT_THAT(sentence(report), testing::EndsWith("at module.c:20:5 in crash"));
  EXPECT_THAT(to_text(report), HasSubstr("   20 |     poke();\n"));
  EXPECT_EQ(to_json(report)["line"], 20);
}

TEST(FaultReportTest, WithoutAPlaceTheSentenceIsWhatHappened) {
  const FaultReport report = report_of({});
  EXPECT_EQ(sentence(report), "null pointer: write to address 0 (SIGSEGV)");
  EXPECT_THAT(to_text(report), Not(HasSubstr("module.c")));
  EXPECT_FALSE(to_json(report).contains("line"));
  EXPECT_TRUE(to_json(report)["chain"].empty());
}

TEST(FaultReportTest, CodeOfAnotherModuleIsNamedWithItsVersion) {
  const FaultReport report = report_of({{"helper", {4, 3}, "plugin_b", 7}, {"crash", {20, 5}}}, "  *out = 1;");
  const std::string place = "plugin_b/module.c:4:3 in helper of plugin_b version 7";
  EXPECT_EQ(sentence(report), "null pointer: write to address 0 (SIGSEGV) at " + place + ", called by crashing");
  EXPECT_THAT(to_text(report), HasSubstr("fault 0123456789ab in module crashing, version 3: null"));
  EXPECT_THAT(to_text(report), HasSubstr("    4 |   *out = 1;\n"));
  EXPECT_THAT(to_text(report), HasSubstr("  in   " + place + "\n  from module.c:20:5 in crash\n"));
  const auto json = to_json(report);
  EXPECT_EQ(json["module"], "crashing");
  EXPECT_EQ(json["version"], 3);
  EXPECT_EQ(json["file"], "plugin_b/module.c");
  EXPECT_EQ(json["in_module"], "plugin_b");
  EXPECT_EQ(json["in_version"], 7);
  EXPECT_EQ(json["chain"][0]["module"], "plugin_b");
  EXPECT_EQ(json["chain"][0]["version"], 7);
  EXPECT_FALSE(json["chain"][1].contains("module"));
  EXPECT_FALSE(to_json(report_of({{"crash", {20, 5}}})).contains("in_module"));
}

TEST(FaultReportTest, HowOftenIsToldFromTheSecondTimeOn) {
  FaultReport report = report_of({});
  EXPECT_THAT(to_text(report), Not(HasSubstr("seen")));
  report.times = 2;
  EXPECT_THAT(to_text(report), HasSubstr("  seen 2 times\n"));
}

TEST(FaultReportTest, ThePageHasNothingOfTheSourceOrTheRequestAsMarkup) {
  FaultReport report = report_of({{"poke", {12, 7}}}, R"(puts("<script>alert('&')</script>");)");
  report.module = "<i>a</i>";
  report.request = "GET /<img src=x onerror=\"y\">\n";
  const std::string page = to_html(report);
  EXPECT_THAT(page, HasSubstr("puts(&quot;&lt;script&gt;alert('&amp;')&lt;/script&gt;&quot;);"));
  EXPECT_THAT(page, HasSubstr("<title>&lt;i&gt;a&lt;/i&gt; has failed</title>"));
  for (const char* const markup : {"<script", "<img", "<i>"}) EXPECT_THAT(page, Not(HasSubstr(markup)));
}

TEST(FaultReportTest, JsonOfWhatIsNoSignalHasNeitherSignalNorAddress) {
  FaultReport report = report_of({});
  EXPECT_EQ(to_json(report)["signal"], "SIGSEGV");
  EXPECT_EQ(to_json(report)["address"], "0x0");
  report.signal.clear();
  EXPECT_FALSE(to_json(report).contains("signal"));
  EXPECT_FALSE(to_json(report).contains("address"));
}

TEST(FaultReportTest, JsonLeavesOutWhatTheViewDoesNotShow) {
  const FaultReport report = report_of({{"poke", {12, 7}}}, "  x = *nothing;");
  const auto all = to_json(report);
  EXPECT_EQ(all["request"], "GET /crash\nHost: a\n");
  EXPECT_EQ(all["source_line"], "  x = *nothing;");
  const auto little = to_json(report, {.request = false, .source_line = false});
  EXPECT_FALSE(little.contains("request"));
  EXPECT_FALSE(little.contains("source_line"));
  EXPECT_EQ(little["line"], 12);
  EXPECT_EQ(little["call"], "GET /crash");
}

}  // namespace
}  // namespace cweb::mgnt
