// From posted source to live route: every documented way to post, every answer, and what a failure leaves alone. The
// whole suite runs in both modes, with compile helpers and with the compiler in the server's process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DeployTest : public testing::TestWithParam<Compiling> {
 protected:
  DeployTest() : server_(options_for(GetParam())), client_(server_.port()) {}

  /// GET with a status of 200; the body.
  std::string got(const std::string& path) {
    const HttpResponse response = client_.get(path);
    EXPECT_EQ(response.status, 200) << path << ": " << response.error << response.body;
    return response.body;
  }
  json list() {
    const HttpResponse response = client_.get("/mgnt");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("content-type"), "application/json");
    return json::parse(response.body, nullptr, false);
  }

  ServerProcess server_;
  HttpClient client_;
};

INSTANTIATE_TEST_SUITE_P(Each, DeployTest, testing::Values(Compiling::in_helpers, Compiling::in_process),
                         [](const auto& test) { return to_string(test.param); });

// ---------------------------------------------------------------------------------------- the documented curl lines

/// Runs curl as a person would, on modules/counter.c; the answer with its status on a line of its own at the end.
std::string curl(std::vector<std::string> arguments) {
  std::vector<std::string> command{"curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Finished finished = run_program(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  return finished.out;
}

TEST_P(DeployTest, each_of_the_four_curl_lines_deploys_the_counter) {
  const std::string file = "@" + project_file("modules/counter.c");
  const std::string mgnt = "http://localhost:" + std::to_string(server_.port()) + "/mgnt";
  const std::vector<std::vector<std::string>> ways = {
      {"-X", "POST", "-d", file, mgnt},
      {"-X", "POST", "--data-binary", file, mgnt},
      {"-F", "code=" + file, mgnt},
      {"-T", project_file("modules/counter.c"), mgnt},
      {"--data-urlencode", "code" + file, mgnt},
  };
  for (const auto& way : ways) {
    SCOPED_TRACE("curl " + way[0] + " " + way[1] + " " + way[2]);
    const std::string answer = curl(way);
    EXPECT_THAT(answer, HasSubstr("counter, version "));
    EXPECT_THAT(answer, testing::EndsWith("\n200"));
    EXPECT_EQ(last_number(got("/counter")), 1);
    EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/counter").status, 200);
  }
}

TEST_P(DeployTest, a_source_that_lost_its_newlines_is_told_about_first) {
  const std::string mgnt = server_.url("/mgnt");
  const std::string answer = curl({"-d", "@" + project_file("modules/counter.c"), mgnt});
  EXPECT_THAT(answer, StartsWith("note: The source came without its newlines"));
}

TEST_P(DeployTest, a_source_whose_newlines_cannot_be_put_back_names_the_ways_that_work) {
  const HttpResponse response = client_.post("/mgnt", "#include <cweb.h>// a comment that ends nowhere",
                                             {{"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.body, HasSubstr("--data-binary @file"));
  EXPECT_THAT(response.body, HasSubstr("-F code=@file"));
  EXPECT_THAT(response.body, HasSubstr("-T file"));
}

TEST_P(DeployTest, a_page_that_curl_puts_below_mgnt_is_told_where_put_goes) {
  EXPECT_THAT(curl({"-T", project_file("modules/counter.c"), server_.url("/mgnt/counter.c")}), HasSubstr("\n404"));
}

// --------------------------------------------------------------------------------------------------------- answers

TEST_P(DeployTest, the_text_answer_tells_name_version_routes_and_times) {
  const HttpResponse response = client_.post("/mgnt", answering_module("told", "/told", "here"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.header("content-type"), StartsWith("text/plain"));
  EXPECT_THAT(response.body, StartsWith("told, version 1, is deployed\n"));
  EXPECT_THAT(response.body, ContainsRegex("GET +/told\n"));
  EXPECT_THAT(response.body, ContainsRegex("compile [0-9.]+ ms, hop [0-9.]+ ms, link [0-9.]+ ms"));
}

TEST_P(DeployTest, the_json_answer_tells_the_same) {
  const DeployAnswer answer = deploy(client_, answering_module("told", "/told", "here"));
  ASSERT_TRUE(answer.deployed()) << answer;
  const json& module = answer.report["module"];
  EXPECT_EQ(module["name"], "told");
  EXPECT_EQ(module["author"], "the tests");
  EXPECT_EQ(module["version"], 1);
  EXPECT_EQ(module["state"], "live");
  EXPECT_EQ(module["hash"].get<std::string>().size(), 64U);
  EXPECT_EQ(module["routes"], json::parse(R"([{"method": "GET", "path": "/told"}])"));
  EXPECT_EQ(answer.report["diagnostics"].size(), 0U) << answer.report["diagnostics"];
  for (const char* step : {"compile", "hop", "link", "onload", "total"}) {
    EXPECT_TRUE(answer.report["timings_ms"][step].is_number()) << step;
  }
  EXPECT_GT(answer.report["timings_ms"]["compile"].get<double>(), 0);
}

TEST_P(DeployTest, a_compile_error_has_line_column_and_caret) {
  const std::string broken =
      "#include <cweb.h>\n"
      "static int f(struct http_request *req, struct http_response *res) {\n"
      "    int count = 1\n"
      "    return count;\n"
      "}\n";
  const HttpResponse text = client_.post("/mgnt", broken);
  EXPECT_EQ(text.status, 422);
  EXPECT_THAT(text.body, StartsWith("not deployed (compile)"));
  EXPECT_THAT(text.body, HasSubstr(":3:18: error: expected ';' at end of declaration\n"));
  EXPECT_THAT(text.body, HasSubstr("    int count = 1\n"));
  EXPECT_THAT(text.body, HasSubstr("                 ^"));
  EXPECT_THAT(text.body, Not(HasSubstr("\x1b"))) << "no colours";

  const DeployAnswer answer = deploy(client_, broken);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.outcome(), "failed");
  EXPECT_EQ(answer.stage(), "compile");
  const json& first = answer.report["diagnostics"].at(0);
  EXPECT_EQ(first["severity"], "error");
  EXPECT_EQ(first["line"], 3);
  EXPECT_EQ(first["column"], 18);
  EXPECT_EQ(first["fixits"].at(0)["text"], ";");
}

TEST_P(DeployTest, a_warning_is_shown_and_the_module_deployed) {
  const std::string source = fill_in(answering_module("warned", "/warned", "here"), {}) +
                             "\nstatic int nobody_calls_this(void) { return 1; }\n";
  const DeployAnswer answer = deploy(client_, source);
  ASSERT_TRUE(answer.deployed()) << answer;
  ASSERT_EQ(answer.report["diagnostics"].size(), 1U) << answer;
  EXPECT_EQ(answer.report["diagnostics"][0]["severity"], "warning");
  EXPECT_EQ(answer.report["diagnostics"][0]["option"], "-Wunused-function");
  EXPECT_EQ(got("/warned"), "here");
}

TEST_P(DeployTest, the_same_source_again_is_unchanged_and_keeps_its_state) {
  const std::string source = counting_module("kept", "/kept");
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_EQ(got("/kept"), "count 1");
  const DeployAnswer again = deploy(client_, source);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.outcome(), "unchanged");
  EXPECT_EQ(again.version(), 1U);
  EXPECT_EQ(got("/kept"), "count 2");
}

TEST_P(DeployTest, a_new_version_starts_with_fresh_statics) {
  ASSERT_TRUE(deploy(client_, counting_module("fresh", "/fresh")).deployed());
  EXPECT_EQ(got("/fresh"), "count 1");
  EXPECT_EQ(got("/fresh"), "count 2");
  const DeployAnswer next = deploy(client_, counting_module("fresh", "/fresh") + "/* another version */\n");
  EXPECT_EQ(next.version(), 2U) << next;
  EXPECT_EQ(got("/fresh"), "count 1");
}

TEST_P(DeployTest, a_check_says_whether_it_would_deploy_and_deploys_nothing) {
  const DeployAnswer fine = deploy(client_, answering_module("checked", "/checked", "here"), "?check=1");
  EXPECT_EQ(fine.status, 200) << fine;
  EXPECT_EQ(fine.outcome(), "checked");
  EXPECT_EQ(client_.get("/checked").status, 404);
  EXPECT_EQ(list()["modules"].size(), 0U);
  EXPECT_EQ(deploy(client_, "int x = ;", "?check=1").status, 422);
  const DeployAnswer unclear = deploy(client_, answering_module("checked", "/checked", "here"), "?check=yes");
  EXPECT_EQ(unclear.status, 400);
  EXPECT_EQ(client_.get("/checked").status, 404);
}

TEST_P(DeployTest, a_body_without_a_source_is_a_400_that_names_the_command) {
  const HttpResponse empty = client_.post("/mgnt", "");
  EXPECT_EQ(empty.status, 400);
  EXPECT_THAT(empty.body, HasSubstr("curl --data-binary @modules/counter.c"));
  const HttpResponse form =
      client_.post("/mgnt", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n",
                   {{"Content-Type", "multipart/form-data; boundary=b"}});
  EXPECT_EQ(form.status, 400);
  EXPECT_THAT(form.body, HasSubstr("-F code=@module.c"));
}

// ------------------------------------------------------------------------------------- what is known of the modules

TEST_P(DeployTest, the_list_tells_of_every_module_by_name) {
  ASSERT_TRUE(deploy(client_, answering_module("beta", "/beta", "b")).deployed());
  ASSERT_TRUE(deploy(client_, counting_module("alpha", "/alpha")).deployed());
  got("/alpha");
  got("/alpha");
  const json modules = list()["modules"];
  ASSERT_EQ(modules.size(), 2U);
  EXPECT_EQ(modules[0]["name"], "alpha");
  EXPECT_EQ(modules[1]["name"], "beta");
  EXPECT_EQ(modules[0]["calls"], 2);
  EXPECT_EQ(modules[1]["calls"], 0);
  EXPECT_EQ(modules[0]["version"], 1);
  EXPECT_EQ(modules[0]["websockets"], json::array());
  EXPECT_THAT(modules[0]["deployed_at"].get<std::string>(), ContainsRegex("^20[0-9-]+T[0-9:.]+Z$"));
}

TEST_P(DeployTest, one_module_and_its_source_can_be_asked_for) {
  const std::string source = answering_module("asked", "/asked", "here");
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_EQ(module_status(client_, "asked")["routes"][0]["path"], "/asked");
  const HttpResponse posted = client_.get("/mgnt/modules/asked/source");
  EXPECT_EQ(posted.status, 200);
  EXPECT_THAT(posted.header("content-type"), StartsWith("text/x-c"));
  EXPECT_EQ(posted.body, source);
  EXPECT_EQ(client_.get("/mgnt/modules/nobody").status, 404);
  EXPECT_EQ(client_.get("/mgnt/modules/nobody/source").status, 404);
}

TEST_P(DeployTest, a_removed_module_answers_no_more_and_can_come_back) {
  const std::string source = counting_module("gone", "/gone");
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_EQ(got("/gone"), "count 1");
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/gone").status, 200);
  EXPECT_EQ(client_.get("/gone").status, 404);
  EXPECT_EQ(client_.send("DELETE", "/mgnt/modules/gone").status, 404);
  ASSERT_TRUE(deploy(client_, source).deployed());
  EXPECT_EQ(got("/gone"), "count 1");
}

TEST_P(DeployTest, health_is_ok) {
  EXPECT_EQ(got("/mgnt/health"), "ok\n");
  EXPECT_EQ(json::parse(client_.get("/mgnt/health", {{"Accept", "application/json"}}).body)["status"], "ok");
}

TEST_P(DeployTest, metrics_are_prometheus_text) {
  ASSERT_TRUE(deploy(client_, counting_module("measured", "/measured")).deployed());
  got("/measured");
  const HttpResponse response = client_.get("/mgnt/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.header("content-type"), StartsWith("text/plain"));
  EXPECT_THAT(response.body, HasSubstr("# TYPE "));
  EXPECT_THAT(response.body, HasSubstr("module=\"measured\""));
}

TEST_P(DeployTest, other_methods_and_paths_of_the_management_are_named) {
  const HttpResponse method = client_.send("DELETE", "/mgnt");
  EXPECT_EQ(method.status, 405);
  EXPECT_THAT(method.header("allow"), HasSubstr("POST"));
  EXPECT_EQ(client_.send("OPTIONS", "/mgnt").status, 204);
  EXPECT_EQ(client_.get("/mgnt/nothing").status, 404);
}

// ------------------------------------------------------------------------------------------- what a failure leaves

TEST_P(DeployTest, a_broken_version_leaves_the_counter_with_its_count) {
  const std::string counter = read_project_file("modules/counter.c");
  ASSERT_TRUE(deploy(client_, counter).deployed());
  for (long i = 1; i <= 3; ++i) EXPECT_EQ(last_number(got("/counter")), i);

  const DeployAnswer broken = deploy(client_, counter + "\nint f( { return 1; }\n");
  EXPECT_EQ(broken.status, 422) << broken;
  EXPECT_EQ(broken.report.value("keeps_serving", ""), "counter, version 1");
  EXPECT_EQ(last_number(got("/counter")), 4);

  const DeployAnswer unlinked =
      deploy(client_, counter + "\nint missing(void);\nint use(void) { return missing(); }\n");
  EXPECT_EQ(unlinked.status, 422) << unlinked;
  EXPECT_EQ(unlinked.stage(), "link");
  EXPECT_THAT(unlinked.all_sentences(), HasSubstr("missing"));
  EXPECT_EQ(last_number(got("/counter")), 5);

  const DeployAnswer mended = deploy(client_, counter + "\n/* mended */\n");
  EXPECT_TRUE(mended.deployed()) << mended;
  EXPECT_EQ(last_number(got("/counter")), 1);
}

TEST_P(DeployTest, an_onload_that_fails_leaves_the_running_version) {
  ASSERT_TRUE(deploy(client_, counting_module("loaded", "/loaded")).deployed());
  EXPECT_EQ(got("/loaded"), "count 1");
  std::string failing = counting_module("loaded", "/loaded");
  failing.insert(failing.find("export"), "static void load(void) { abort(); }\n\n");
  failing.insert(failing.rfind("};"), "    .onload = load,\n");
  const DeployAnswer answer = deploy(client_, failing);
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_EQ(answer.stage(), "onload");
  EXPECT_EQ(got("/loaded"), "count 2");
}

TEST_P(DeployTest, a_route_of_another_module_is_a_409_that_names_it_and_nothing_is_registered) {
  ASSERT_TRUE(deploy(client_, answering_module("owner", "/owned", "mine")).deployed());
  std::string thief = answering_module("thief", "/owned", "stolen");
  thief = fill_in(thief, {});
  const size_t row = thief.find("{\"/owned\"");
  thief.insert(row, "{\"/free\", \"GET\", answer, NONE}, ");
  thief.replace(thief.find(".size = 1"), 9, ".size = 2");
  const DeployAnswer answer = deploy(client_, thief);
  EXPECT_EQ(answer.status, 409) << answer;
  EXPECT_EQ(answer.stage(), "routes");
  EXPECT_THAT(answer.error(), HasSubstr("owner"));
  EXPECT_THAT(answer.error(), HasSubstr("GET /owned"));
  EXPECT_EQ(got("/owned"), "mine");
  EXPECT_EQ(client_.get("/free").status, 404);
  EXPECT_EQ(list()["modules"].size(), 1U);
}

// ---------------------------------------------------------------------------------------------------------- order

TEST_P(DeployTest, deploys_of_one_name_take_effect_in_the_order_of_arrival) {
  // The first one waits inside its onload until the second one has been posted.
  const auto version = [](const std::string& text, bool waits) {
    std::string source = answering_module("ordered", "/ordered", text);
    source.insert(source.find("export"), fill_in(R"(#include <unistd.h>
static void load(void) {
    char byte;
    if (write(@EVENTS@, "loading\n", 8) != 8) return;
    if (@WAITS@ && read(@GATE@, &byte, 1) != 1) return;
}

)",
                                                 {{"EVENTS", std::to_string(events_fd)},
                                                  {"GATE", std::to_string(gate_fd)},
                                                  {"WAITS", waits ? "1" : "0"}}));
    source.insert(source.rfind("};"), "    .onload = load,\n");
    return source;
  };
  DeployAnswer first, second;
  std::thread posting_first([&] { first = deploy(server_.port(), version("first", true)); });
  ASSERT_EQ(server_.next_event(), "loading");
  std::thread posting_second([&] { second = deploy(server_.port(), version("second", false)); });
  // Other names do not wait for this one.
  EXPECT_TRUE(deploy(client_, answering_module("other", "/other", "here")).deployed());
  EXPECT_EQ(client_.get("/ordered").status, 404) << "nothing can be reached before its onload has returned";
  server_.open_gate();
  posting_first.join();
  posting_second.join();
  EXPECT_TRUE(first.deployed()) << first;
  EXPECT_TRUE(second.deployed()) << second;
  EXPECT_EQ(first.version(), 1U);
  EXPECT_EQ(second.version(), 2U);
  EXPECT_EQ(got("/ordered"), "second");
}

TEST_P(DeployTest, deploys_of_different_names_run_side_by_side) {
  constexpr int names = 8;
  const int versions = repetitions(10, 3);
  std::vector<std::thread> posters;
  for (int i = 0; i < names; ++i) {
    posters.emplace_back([&, i] {
      const std::string name = "parallel" + std::to_string(i);
      HttpClient client(server_.port());
      for (int version = 1; version <= versions; ++version) {
        const std::string text = name + " version " + std::to_string(version);
        const DeployAnswer answer = deploy(client, answering_module(name, "/" + name, text));
        EXPECT_TRUE(answer.deployed()) << answer;
        EXPECT_EQ(answer.version(), static_cast<unsigned>(version));
        EXPECT_EQ(client.get("/" + name).body, text);
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(list()["modules"].size(), static_cast<size_t>(names));
}

TEST_P(DeployTest, of_two_modules_that_want_one_route_at_once_one_gets_it) {
  for (int round = 0; round < repetitions(20, 5); ++round) {
    const std::string path = "/wanted" + std::to_string(round);
    const std::vector<std::string> names = {"left" + std::to_string(round), "right" + std::to_string(round)};
    std::vector<DeployAnswer> answers(2);
    std::vector<std::thread> posters;
    for (size_t i = 0; i < 2; ++i) {
      posters.emplace_back([&, i] { answers[i] = deploy(server_.port(), answering_module(names[i], path, names[i])); });
    }
    for (std::thread& poster : posters) poster.join();
    const size_t winner = answers[0].deployed() ? 0 : 1;
    EXPECT_TRUE(answers[winner].deployed()) << answers[winner];
    EXPECT_EQ(answers[1 - winner].status, 409) << answers[1 - winner];
    EXPECT_THAT(answers[1 - winner].error(), HasSubstr(names[winner]));
    EXPECT_EQ(got(path), names[winner]);
  }
}

// --------------------------------------------------------------------------------------------------- the examples

TEST_P(DeployTest, every_example_deploys_without_a_warning) {
  for (const char* name : {"counter", "todo", "json", "static", "mandelbrot", "upload"}) {
    const DeployAnswer answer = deploy(client_, read_project_file(std::string("modules/") + name + ".c"));
    EXPECT_TRUE(answer.deployed()) << answer;
    EXPECT_EQ(answer.report["diagnostics"].size(), 0U) << answer;
  }
  EXPECT_EQ(list()["modules"].size(), 6U);
}

}  // namespace
}  // namespace cweb::e2e
