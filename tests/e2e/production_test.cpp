// The production environment, but for its TLS: where it listens, how it logs, what its answers leave out, and its
// second key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string admin_key = "e2e-key-of-forty-characters-0123456789ab";
const std::string read_key = "e2e-read-key-of-forty-characters-6789abc";
const Headers as_admin = {{"Authorization", "Bearer " + admin_key}};
const Headers as_reader = {{"X-API-Key", read_key}};
const std::vector<std::string> both_keys = {"CWEB_ADMIN_KEY=" + admin_key, "CWEB_READ_KEY=" + read_key};

constexpr const char* failing_module = R"(#include <cweb.h>
#include <error.h>

static int crash(struct http_request *req, struct http_response *res) {
    (void)req;
    error(0, 0, "about to \"crash\"");
    *(volatile int *)0 = 1; /* a secret of the source */
    return res->status;
}

export module_t config = {.name = "failing", .routes = {{"/crash", "POST", crash, NONE}}, .size = 1};
)";

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Every line as an object; what is none fails the test.
std::vector<nlohmann::json> lines_of(const std::string& log) {
  std::vector<nlohmann::json> lines;
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
      ADD_FAILURE() << "this line is no JSON object: " << line;
      continue;
    }
    EXPECT_THAT(json.value("time", ""),
                testing::MatchesRegex("20..-[01].-[0-3].T[0-2].:[0-5].:[0-6].\\.[0-9][0-9][0-9]Z"));
    EXPECT_THAT(json.value("level", ""), testing::AnyOf("info", "warning", "error", "critical"));
    EXPECT_NE(json.value("message", ""), "");
    lines.push_back(json);
  }
  return lines;
}

/// How many lines have this in their message.
size_t telling(const std::vector<nlohmann::json>& lines, const std::string& text) {
  size_t count = 0;
  for (const auto& line : lines) count += line["message"].get<std::string>().find(text) != std::string::npos;
  return count;
}

pid_t serving_of(const ServerProcess& server) {
  const std::vector<pid_t> children = children_of(server.pid());
  return children.size() == 1 ? children[0] : -1;
}

void replace_serving(const ServerProcess& server, int signal_number) {
  const pid_t before = serving_of(server);
  ASSERT_GT(before, 0);
  kill(before, signal_number);
  EXPECT_TRUE(eventually([&] { return serving_of(server) > 0 && serving_of(server) != before; }));
  EXPECT_EQ(HttpClient(server.port()).get("/mgnt/health").status, 200);
}

TEST(JsonLogTest, every_line_is_an_object_from_the_start_to_the_end) {
  ServerProcess server({"--log-format", "json", "--make-key"}, {}, Supervision::by_parent);
  const auto first = lines_of(server.log());
  ASSERT_FALSE(first.empty());
  const std::string made = first[0]["message"];
  const Headers with_key = {{"X-API-Key", made.substr(made.size() - 64)}};
  HttpClient client(server.port());
  ASSERT_EQ(client.post("/mgnt", failing_module, with_key).status, 200);
  EXPECT_EQ(client.post("/crash", "\x1b\xff\"\n").status, 500);
  // What modules print is written by a thread of its own.
  EXPECT_TRUE(eventually([&] { return server.log().find("about to") != std::string::npos; }));
  replace_serving(server, SIGKILL);
  replace_serving(server, SIGABRT);
  EXPECT_TRUE(server.stop());

  const auto lines = lines_of(server.log());
  EXPECT_EQ(telling(lines, "no key was given"), 1U);
  EXPECT_EQ(telling(lines, "cweb is serving on http://"), 3U);
  EXPECT_EQ(telling(lines, "about to \"crash\""), 1U);
  EXPECT_EQ(telling(lines, "audit peer="), 1U);
  EXPECT_EQ(telling(lines, "a new one is started"), 2U);
  EXPECT_EQ(telling(lines, "shutting down"), 1U);
  // What is many lines for people is one here.
  EXPECT_EQ(telling(lines, "a secret of the source */\n      |"), 1U);
  EXPECT_EQ(telling(lines, "died of SIGABRT; backtrace:\n"), 1U);
}

TEST(JsonLogTest, what_keeps_it_from_starting_is_an_object_too) {
  const Finished refused =
      run_program({cweb_binary(), "serve", "--port", "0", "--log-format", "json", "--admin-key-file", "/nowhere/key"});
  EXPECT_EQ(refused.exit_code, 2);
  const auto lines = lines_of(refused.err);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["level"], "error");
  EXPECT_EQ(lines[0]["message"], "--admin-key-file /nowhere/key: No such file or directory");
}

TEST(ProductionTest, listens_on_all_addresses_and_logs_json) {
  ServerProcess server({"--production", "--plain-http"}, both_keys);
  const auto ready = nlohmann::json::parse(server.ready_line());
  EXPECT_THAT(ready["host"], testing::AnyOf("::", "0.0.0.0"));
  for (const std::string address : {"127.0.0.1", "127.0.0.2"}) {
    const Finished curl = run_program(
        {"curl", "-sSk", "--noproxy", "*", "http://" + address + ":" + std::to_string(server.port()) + "/mgnt/health"});
    EXPECT_EQ(curl.out, "ok\n") << address << curl.err;
  }
  EXPECT_GE(lines_of(server.log()).size(), 1U);
}

TEST(ProductionTest, answers_show_places_and_messages_but_no_line_of_a_source) {
  ServerProcess server({"--production", "--plain-http"}, both_keys);
  HttpClient client(server.port());
  const std::string source = answering_module("a", "/a", "b") + "int secret_line = undeclared_thing;\n";
  for (const char* accept : {"*/*", "application/json"}) {
    Headers headers = as_admin;
    headers.emplace_back("Accept", accept);
    const HttpResponse failed = client.post("/mgnt", source, headers);
    EXPECT_EQ(failed.status, 422);
    EXPECT_THAT(failed.body, AllOf(HasSubstr("use of undeclared identifier 'undeclared_thing'"), HasSubstr("module.c"),
                                   Not(HasSubstr("secret_line")), Not(HasSubstr("^"))))
        << accept;
  }
  ASSERT_EQ(client.post("/mgnt", failing_module, as_admin).status, 200);
  EXPECT_EQ(client.post("/crash", "body").status, 500);
  const HttpResponse faults = client.get("/mgnt/faults", as_admin);
  EXPECT_THAT(faults.body, AllOf(HasSubstr("\"line\": 7"), Not(HasSubstr("a secret of the source"))));
}

TEST(ReadKeyTest, lists_sees_and_measures_and_does_nothing_else) {
  ServerProcess server({}, both_keys);
  HttpClient client(server.port());
  ASSERT_EQ(client.post("/mgnt", failing_module, as_admin).status, 200);
  ASSERT_EQ(client.post("/crash", "a secret of the request").status, 500);

  EXPECT_THAT(client.get("/mgnt", as_reader).body, HasSubstr("\"failing\""));
  EXPECT_THAT(client.get("/mgnt/metrics", as_reader).body, HasSubstr("cweb_modules 1"));
  for (const char* path : {"/mgnt/modules/failing", "/mgnt/faults"}) {
    const HttpResponse response = client.get(path, as_reader);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_THAT(response.body, AllOf(HasSubstr("POST /crash"), Not(HasSubstr("a secret of")))) << path;
    EXPECT_THAT(client.get(path, as_admin).body,
                AllOf(HasSubstr("a secret of the request"), HasSubstr("a secret of the source")));
  }
  const auto expect_refused = [&](const char* method, const char* path) {
    const HttpResponse response = client.send(method, path, "", as_reader);
    EXPECT_EQ(response.status, 403) << method << " " << path;
    EXPECT_THAT(response.body, HasSubstr("needs the admin key"));
  };
  expect_refused("GET", "/mgnt/modules/failing/source");
  expect_refused("POST", "/mgnt");
  expect_refused("PUT", "/mgnt");
  expect_refused("POST", "/mgnt/modules/failing/restart");
  expect_refused("DELETE", "/mgnt/modules/failing");
  EXPECT_EQ(client.post("/mgnt?check=1", failing_module, as_reader).status, 403);
  EXPECT_EQ(client.get("/mgnt/modules/failing", as_admin).status, 200) << "it is still there";
}

TEST(ReadKeyTest, outlives_the_server_process_and_is_found_nowhere) {
  ServerProcess server({}, both_keys, Supervision::by_parent);
  replace_serving(server, SIGKILL);
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/mgnt", as_reader).status, 200);
  EXPECT_EQ(client.post("/mgnt", failing_module, as_reader).status, 403);
  std::vector<pid_t> processes = children_of(serving_of(server));
  processes.insert(processes.end(), {server.pid(), serving_of(server)});
  for (const pid_t process : processes) {
    const std::string variables = file_text("/proc/" + std::to_string(process) + "/environ");
    EXPECT_THAT(variables, AllOf(Not(HasSubstr(read_key)), Not(HasSubstr(admin_key))));
  }
}

TEST(ReadKeyTest, one_that_cannot_be_meant_keeps_the_server_from_starting) {
  const auto serve = [](std::vector<std::string> variables) {
    std::vector<std::string> command{"env"};
    command.insert(command.end(), variables.begin(), variables.end());
    command.insert(command.end(), {cweb_binary(), "serve", "--port", "0"});
    return run_program(command);
  };
  const Finished same = serve({"CWEB_ADMIN_KEY=" + admin_key, "CWEB_READ_KEY=" + admin_key});
  EXPECT_EQ(same.exit_code, 2);
  EXPECT_THAT(same.err, HasSubstr("the read key and the admin key are the same"));
  const Finished alone = serve({"CWEB_READ_KEY=" + read_key});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, AllOf(HasSubstr("CWEB_ADMIN_KEY"), Not(HasSubstr(read_key))));
}

TEST(MadeKeyTest, is_printed_once_opens_the_door_and_outlives_the_server_process) {
  ServerProcess server({"--make-key"}, {}, Supervision::by_parent);
  const std::string log = server.log();
  const std::string mark = "curl -H \"Authorization: Bearer ";
  ASSERT_THAT(log, HasSubstr(mark));
  const std::string key = log.substr(log.find(mark) + mark.size(), 64);
  EXPECT_THAT(log, HasSubstr(key + "\" --data-binary @modules/counter.c http://127.0.0.1:" +
                             std::to_string(server.port()) + "/mgnt\n"));
  HttpClient client(server.port());
  const HttpResponse without = client.get("/mgnt");
  EXPECT_EQ(without.status, 401);
  EXPECT_THAT(without.body, HasSubstr("docker logs"));
  EXPECT_EQ(client.get("/mgnt", {{"X-API-Key", key}}).status, 200);
  replace_serving(server, SIGKILL);
  EXPECT_EQ(HttpClient(server.port()).get("/mgnt", {{"X-API-Key", key}}).status, 200);
  const std::string now = server.log();
  EXPECT_EQ(now.find(mark + key, now.find(mark) + 1), std::string::npos) << "printed again";
}

TEST(MadeKeyTest, is_not_made_beside_one_that_is_given) {
  ServerProcess server({"--make-key"}, both_keys);
  EXPECT_THAT(server.log(), Not(HasSubstr("was made")));
  EXPECT_EQ(HttpClient(server.port()).get("/mgnt", as_admin).status, 200);
  EXPECT_THAT(HttpClient(server.port()).get("/mgnt").body, Not(HasSubstr("docker")));
}

TEST(HealthCommandTest, tells_by_its_exit_code_whether_a_server_serves) {
  ServerProcess server;
  const std::string port = std::to_string(server.port());
  const auto ask = [&] { return run_program({cweb_binary(), "health", "--port", port}); };
  EXPECT_EQ(ask().exit_code, 0);
  server.stop();
  const Finished gone = ask();
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_THAT(gone.err, HasSubstr("port " + port));
}

}  // namespace
}  // namespace cweb::e2e
