#include "cli/report_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/diagnostic_text.h"
#include "cli/module_text.h"

namespace cweb::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const json counter = {{"name", "counter"},
                      {"version", 3},
                      {"routes", {{{"method", "GET"}, {"path", "/counter"}}}},
                      {"websockets", {{{"path", "/live"}}}}};

TEST(ReportText, of_a_deploy_is_one_line_for_the_results) {
  const json report = {{"status", "deployed"}, {"module", counter}, {"timings_ms", {{"total", 4.12}}}};
  const ReportText told = report_text(report, "src/counter.c", "", false);
  EXPECT_TRUE(told.succeeded);
  EXPECT_EQ(told.result, "src/counter.c: counter, version 3: GET /counter, WebSocket /live (4.1 ms)\n");
  EXPECT_EQ(told.messages, "");
  EXPECT_THAT(report_text({{"status", "unchanged"}, {"module", counter}}, "c.c", "", false).result,
              HasSubstr("c.c: counter, version 3, is unchanged: GET /counter"));
  EXPECT_THAT(report_text({{"status", "checked"}, {"module", {{"name", "n"}}}}, "c.c", "", false).result,
              HasSubstr("c.c: n is fine, and not deployed: no routes"));
}

TEST(ReportText, of_a_failure_has_the_diagnostics_and_what_keeps_serving) {
  const ReportText told = report_text({{"status", "failed"},
                                       {"stage", "compile"},
                                       {"error", "the source does not compile"},
                                       {"rendered", "module.c:1:1: error: x\n"},
                                       {"keeps_serving", "counter, version 2"},
                                       {"notices", {"mind this"}}},
                                      "c.c", "", false);
  EXPECT_FALSE(told.succeeded);
  EXPECT_EQ(told.result, "");
  EXPECT_THAT(told.messages, AllOf(HasSubstr("c.c:1:1: error: x\n"), HasSubstr("c.c: note: mind this\n"),
                                   HasSubstr("c.c: not deployed (compile): the source does not compile; counter, "
                                             "version 2, keeps serving\n")));
}

TEST(ReportText, shows_warnings_of_what_is_deployed) {
  EXPECT_EQ(report_text({{"status", "deployed"}, {"module", counter}, {"rendered", "module.c:1:1: warning: x\n"}},
                        "c.c", "y\n", false)
                .messages,
            "c.c:1:1: warning: x\n    1 | y\n      | ^\n");
}

TEST(ReportText, of_a_fault_in_onload_names_the_file_as_typed) {
  const ReportText told =
      report_text({{"status", "failed"},
                   {"stage", "onload"},
                   {"error", "onload did not return: exit(3) at module.c:2:5 in up"},
                   {"rendered",
                    "fault 1 in module c: exit(3) at module.c:2:5 in up\n    2 |     exit(3);\n      |     "
                    "^\n  in   module.c:2:5 in up\n  from module.c:9:1 in begin\n"}},
                  "./c.c", "", false);
  EXPECT_EQ(told.messages,
            "fault 1 in module c: exit(3) at ./c.c:2:5 in up\n    2 |     exit(3);\n      |     ^\n  in   ./c.c:2:5 in "
            "up\n  from ./c.c:9:1 in begin\n"
            "./c.c: not deployed (onload): onload did not return: exit(3) at ./c.c:2:5 in up\n");
}

TEST(ReportText, takes_whatever_a_hostile_server_says) {
  for (const char* text : {"null", "[]", "{}", R"({"status":7})", R"({"status":"deployed","module":[],"timings_ms":3})",
                           R"({"status":"deployed","module":{"routes":"x","websockets":{"a":1},"version":-1}})",
                           R"({"status":"failed","notices":[1,null,{}],"rendered":{}})"}) {
    const json report = json::parse(text);
    report_text(report, "c.c", "", true);
    list_text({{"modules", json::array({report})}}, true);
    list_text(report, true);
    files_text({{"files", json::array({report})}}, true);
    module_text(report, true);
    module_text({{"recent_faults", json::array({report, 1, "x"})}}, true);
    module_text({{"recent_faults", "x"}}, true);
    history_text({{"versions", json::array({report})}}, true);
  }
  const json hostile = {{"name", "a\033[2J"}, {"state", "\033]0;x\007"}};
  EXPECT_THAT(list_text({{"modules", json::array({hostile})}}, false), Not(HasSubstr("\033")));
  EXPECT_THAT(module_text(hostile, false), Not(HasSubstr("\033")));
}

TEST(RoutesText, says_how_many_there_are_where_they_are_many) {
  json many = {{"routes", json::array()}};
  for (int i = 0; i < 50; ++i) many["routes"].push_back({{"method", "GET"}, {"path", "/page" + std::to_string(i)}});
  EXPECT_EQ(routes_text(many, 30), "GET /page0, GET /page1 and 48 more");
  EXPECT_THAT(routes_text(many), HasSubstr("GET /page49"));
}

TEST(ModuleText, tells_the_recent_faults) {
  json module = counter;
  module["state"] = "quarantined";
  module["quarantine_reason"] = "6 faults in 10 s";
  module["memory"] = {{"bytes", 2048}, {"blocks", 2}, {"peak_bytes", 4096}};
  module["recent_faults"] = json::array({{{"time", "2026-11-26T14:40:00.123Z"},
                                          {"version", 3},
                                          {"what", "a null pointer was read"},
                                          {"file", "module.c"},
                                          {"line", 7},
                                          {"column", 3},
                                          {"function", "show"},
                                          {"source_line", "  return *p;"},
                                          {"call", "GET /counter"},
                                          {"times", 4},
                                          {"consequence", "a fresh instance serves"}}});
  EXPECT_THAT(
      module_text(module, false),
      AllOf(HasSubstr("counter, version 3, quarantined\n"), HasSubstr("reason     6 faults in 10 s\n"),
            HasSubstr("memory     2.0 KiB in 2 blocks, 4.0 KiB at most\n"),
            HasSubstr("2026-11-26 14:40:00  version 3: a null pointer was read at module.c:7:3 in show, 4 times\n"
                      "    7 |   return *p;\n"
                      "    during GET /counter\n"
                      "    a fresh instance serves\n")));
}

TEST(ModuleText, tells_in_whose_code_a_fault_was) {
  json module = counter;
  module["recent_faults"] = json::array({{{"version", 3},
                                          {"what", "a null pointer was read"},
                                          {"file", "helper/module.c"},
                                          {"line", 7},
                                          {"column", 3},
                                          {"function", "show"},
                                          {"in_module", "helper"},
                                          {"in_version", 2}}});
  EXPECT_THAT(module_text(module, false), HasSubstr("read at helper/module.c:7:3 in show of helper version 2\n"));
}

TEST(WithFiles, names_the_files_of_a_report_as_the_user_does) {
  const std::string report =
      "fault 1 in module a: bad at b/module.c:4:3 in f of b version 1\n"
      "  in   b/module.c:4:3 in f of b version 1\n  from bb/module.c:5:1 in g\n  from module.c:6:1 in h\n";
  EXPECT_EQ(with_files(report, "a", {{"a", "src/a.c"}, {"b", "src/lib.c"}}),
            "fault 1 in module a: bad at src/lib.c:4:3 in f of b version 1\n"
            "  in   src/lib.c:4:3 in f of b version 1\n  from bb/module.c:5:1 in g\n  from src/a.c:6:1 in h\n");
  EXPECT_EQ(with_files(report, "a", {}), report);
}

}  // namespace
}  // namespace cweb::cli
