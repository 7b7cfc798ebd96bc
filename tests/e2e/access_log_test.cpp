// --access-log: a line for each answer, whoever gave it; never forged, never waited for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "child_process.h"
#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "prometheus_text.h"
#include "raw_client.h"
#include "server_process.h"
#include "system_calls.h"

namespace cweb::e2e {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::StartsWith;
namespace fs = std::filesystem;

const std::string counted = counting_module("counted", "/counted");

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    std::string pattern = fs::temp_directory_path() / "cweb-e2e-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~AccessLogTest() override { fs::remove_all(directory_); }

  std::string path(const std::string& name = "log") const { return directory_ / name; }
  static std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

 private:
  fs::path directory_;
};

TEST_F(AccessLogTest, every_answer_has_its_line_in_the_common_format) {
  ServerProcess server({"--threads", "1", "--access-log", path()});
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, counted).deployed());
  EXPECT_EQ(client.get("/counted?by=2").body, "count 1");
  EXPECT_EQ(client.send("HEAD", "/counted").status, 200);
  EXPECT_EQ(client.get("/nothing").status, 404);
  EXPECT_EQ(RawClient(server.port()).exchange("GET /old HTTP/1.0\r\n\r\n").status, 404);
  EXPECT_EQ(RawClient(server.port()).exchange("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n").status, 501);
  EXPECT_EQ(RawClient(server.port()).exchange("GET /two-hosts HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n").status, 400);
  ASSERT_TRUE(server.stop());
  const std::vector<std::string> lines = lines_of(path());
  ASSERT_THAT(lines, SizeIs(7));
  for (const std::string& line : lines) {
    EXPECT_THAT(line, MatchesRegex("127\\.0\\.0\\.1 - - \\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} \\+0000\\] "
                                   "\"[^\"]*\" [0-9]{3} [0-9]+"));
  }
  EXPECT_THAT(lines[0], HasSubstr("\"POST /mgnt HTTP/1.1\" 200 "));
  EXPECT_THAT(lines[1], EndsWith("\"GET /counted?by=2 HTTP/1.1\" 200 7")) << "with its query, as it was sent";
  EXPECT_THAT(lines[2], EndsWith("\"HEAD /counted HTTP/1.1\" 200 0"));
  EXPECT_THAT(lines[3], HasSubstr("\"GET /nothing HTTP/1.1\" 404 "));
  EXPECT_THAT(lines[4], HasSubstr("\"GET /old HTTP/1.0\" 404 "));
  EXPECT_THAT(lines[5], HasSubstr("\" 501 "));
  EXPECT_THAT(lines[6], HasSubstr("\"GET /two-hosts\" 400 "));
}

TEST_F(AccessLogTest, json_lines_tell_module_connection_and_duration) {
  ServerProcess server({"--threads", "1"}, {"CWEB_ACCESS_LOG=" + path(), "CWEB_ACCESS_LOG_FORMAT=json"});
  HttpClient client(server.port());
  ASSERT_TRUE(deploy(client, fill_in(R"(#include <cweb.h>
#include <unistd.h>
static int wait_for_gate(struct http_request *req, struct http_response *res) {
    char byte;
    if (read(@GATE@, &byte, 1) != 1) return -1;
    res->status = 202;
    return 0;
}
export module_t config = {.name = "waiting", .routes = {{"/wait", "GET", wait_for_gate, NONE}}, .size = 1};
)",
                                     {{"GATE", std::to_string(gate_fd)}}))
                  .deployed());
  RawClient waiting(server.port());
  ASSERT_TRUE(waiting.send(get_request("/wait?for=it")));
  // The loop has passed to another thread when this is answered while the handler is inside.
  const auto detached = [&] {
    return PrometheusText(client.get("/mgnt/metrics").body).sum("cweb_module_detached_calls") == 1;
  };
  ASSERT_TRUE(eventually(detached));
  server.open_gate();
  ASSERT_EQ(waiting.read_response().status, 202);
  ASSERT_TRUE(server.stop());
  std::vector<nlohmann::json> lines;
  for (const std::string& line : lines_of(path())) lines.push_back(nlohmann::json::parse(line));
  ASSERT_GE(lines.size(), 3U);
  EXPECT_EQ(lines.front()["path"], "/mgnt");
  EXPECT_EQ(lines.front()["module"], "");
  const nlohmann::json& last = lines.back();
  EXPECT_EQ(last["peer"], "127.0.0.1");
  EXPECT_EQ(last["method"], "GET");
  EXPECT_EQ(last["path"], "/wait?for=it") << "as it was sent, though the module has had it meanwhile";
  EXPECT_EQ(last["status"], 202);
  EXPECT_EQ(last["bytes"], 0);
  EXPECT_EQ(last["module"], "waiting");
  EXPECT_GE(last["duration"], 0.001);
  EXPECT_NE(last["connection"], lines.front()["connection"]);
  EXPECT_EQ(lines[1]["connection"], lines.front()["connection"]);
}

TEST_F(AccessLogTest, no_request_forges_a_line) {
  ServerProcess server({"--access-log", path()});
  const std::vector<std::string> targets{"/x\"%20200%200", "/back\\slash", "/\xFF\xFE", "/esc\x1B[31m", "/tab\there"};
  for (const std::string& target : targets) {
    RawClient client(server.port());
    ASSERT_TRUE(client.send(get_request(target)));
    EXPECT_GE(client.read_response().status, 400);
  }
  ASSERT_TRUE(server.stop());
  const std::vector<std::string> lines = lines_of(path());
  EXPECT_EQ(lines.size(), targets.size());
  for (const std::string& line : lines) {
    EXPECT_EQ(std::count(line.begin(), line.end(), '"'), 2) << line;
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; })) << line;
  }
}

TEST_F(AccessLogTest, a_dash_is_standard_output_and_none_is_written_unasked) {
  {
    ServerProcess server({"--access-log", "-"});
    EXPECT_EQ(RawClient(server.port()).exchange(get_request("/nothing")).status, 404);
    EXPECT_TRUE(eventually([&] { return server.log().find("\"GET /nothing HTTP/1.1\" 404") != std::string::npos; }));
  }
  ServerProcess server;
  EXPECT_EQ(RawClient(server.port()).exchange(get_request("/nothing")).status, 404);
  ASSERT_TRUE(server.stop());
  EXPECT_EQ(server.log().find("/nothing"), std::string::npos);
}

TEST_F(AccessLogTest, sighup_opens_the_file_anew) {
  ServerProcess server({"--access-log", path()});
  RawClient client(server.port());
  EXPECT_EQ(client.exchange(get_request("/before")).status, 404);
  EXPECT_TRUE(eventually([&] { return lines_of(path()).size() == 1; })) << "a line is there soon, without a signal";
  fs::rename(path(), path("log.1"));
  kill(server.pid(), SIGHUP);
  ASSERT_TRUE(eventually([&] { return fs::exists(path()); }));
  EXPECT_EQ(client.exchange(get_request("/after")).status, 404);
  ASSERT_TRUE(server.stop());
  EXPECT_THAT(lines_of(path("log.1")), testing::ElementsAre(HasSubstr("GET /before")));
  EXPECT_THAT(lines_of(path()), testing::ElementsAre(HasSubstr("GET /after")));
}

TEST_F(AccessLogTest, a_full_disk_delays_no_answer_and_the_losses_are_counted) {
  ServerProcess server({"--access-log", "/dev/full", "--threads", "1"});
  HttpClient client(server.port());
  const auto dropped = [&] {
    return PrometheusText(client.get("/mgnt/metrics").body).sum("cweb_access_log_dropped_lines_total");
  };
  EXPECT_EQ(dropped(), 0);
  // What waits is bounded, so that long lines are enough of them soon.
  RawClient loud(server.port());
  const std::string request = get_request("/" + std::string(2'100, 'x'));
  for (int i = 0; i < 1600; ++i) ASSERT_EQ(loud.exchange(request).status, 404) << i;
  EXPECT_GT(dropped(), 0);
  EXPECT_LT(dropped(), 1200);
  ASSERT_TRUE(server.stop());
  const std::string log = server.log();
  const size_t warning = log.find("/dev/full cannot be written: No space left on device");
  ASSERT_NE(warning, std::string::npos);
  EXPECT_EQ(log.find("/dev/full cannot be written", warning + 1), std::string::npos) << "it is told once";
}

TEST_F(AccessLogTest, a_file_that_cannot_be_opened_ends_the_start_with_a_sentence) {
  const Finished run = run_program({cweb_binary(), "serve", "--port", "0", "--access-log", path("no/such/log")});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("cweb: the access log " + path("no/such/log") + " cannot be opened: No such file"));
  const Finished format = run_program({cweb_binary(), "serve", "--port", "0", "--access-log-format", "xml"});
  EXPECT_EQ(format.exit_code, 2);
  EXPECT_THAT(format.err, HasSubstr("--access-log-format"));
}

/// What requests on one connection make the server's threads ask of the kernel about descriptors, without those calls
/// that are not made for a request: waiting, and what the log's own thread does.
std::map<std::string, int> calls_for_requests(std::vector<std::string> options) {
  // One loop, no helper that becomes warm meanwhile, no connection that ends meanwhile: nothing else is going on.
  options.insert(options.end(), {"--threads", "1", "--compile-in-process"});
  ServerProcess server(options);
  HttpClient deployer(server.port());
  EXPECT_TRUE(deploy(deployer, counted).deployed());
  RawClient client(server.port());
  EXPECT_EQ(client.exchange(get_request("/counted")).status, 200);
  SystemCalls calls({server.pid()}, "%desc,%network");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.exchange(get_request("/counted")).status, 200);
  std::map<pid_t, std::string> names;
  for (const pid_t thread : threads_of(server.pid())) names[thread] = name_of(thread);
  std::map<std::string, int> counts;
  std::istringstream lines(calls.finish());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    pid_t thread = 0;
    std::string call;
    words >> thread >> call;
    call = call.substr(0, call.find('('));
    // Memory is about no descriptor; a sanitizer's allocator asks for it at moments of its own.
    if (line.find("MAP_ANONYMOUS") != std::string::npos) continue;
    const bool waits = call == "epoll_wait" || call == "poll" || call == "ppoll" || call.starts_with('<');
    if (!waits && names[thread] != "cweb-access-log") ++counts[call];
  }
  return counts;
}

TEST_F(AccessLogTest, it_costs_a_request_no_system_call) {
  std::map<std::string, int> with;
  std::map<std::string, int> without;
  // A machine that is busy may take a thread's processor away for so long that its loop is handed over, which costs a
  // few calls. What a request costs is there each time.
  for (int attempt = 0; attempt < 3 && (attempt == 0 || with != without); ++attempt) {
    without = calls_for_requests({});
    with = calls_for_requests({"--access-log", path()});
  }
  EXPECT_EQ(with, without);
  ASSERT_TRUE(without.contains("sendto")) << "they are not seen at all";
  EXPECT_GE(without.at("sendto"), 50);
  EXPECT_GE(lines_of(path()).size(), 50U);
}

}  // namespace
}  // namespace cweb::e2e
