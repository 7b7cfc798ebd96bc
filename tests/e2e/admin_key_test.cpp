// The admin key: who has it may deploy, nobody else may, and nobody finds it in the server's process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "deploying.h"
#include "http_client.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

const std::string key = "e2e-key-of-forty-characters-0123456789ab";
const std::string in_environment = "CWEB_ADMIN_KEY=" + key;
const Headers with_bearer = {{"Authorization", "Bearer " + key}};
const Headers with_api_key = {{"X-API-Key", key}};

HttpResponse post(HttpClient& client, const Headers& headers) {
  return client.post("/mgnt", answering_module("posted", "/posted", "here"), headers);
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A file that holds the key, for as long as the test runs.
class KeyFile {
 public:
  KeyFile() : path_(testing::TempDir() + "cweb_key_" + std::to_string(getpid())) {
    std::ofstream(path_) << key << "\n";
  }
  ~KeyFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(AdminKeyTest, who_sends_it_may_deploy_read_and_delete) {
  ServerProcess server({}, {in_environment});
  HttpClient client(server.port());
  EXPECT_EQ(post(client, with_bearer).status, 200);
  EXPECT_EQ(client.get("/posted").body, "here") << "routes of modules are for everybody";
  EXPECT_EQ(client.get("/mgnt", with_api_key).status, 200);
  EXPECT_EQ(client.send("DELETE", "/mgnt/modules/posted", "", with_api_key).status, 200);
}

TEST(AdminKeyTest, without_it_everything_but_health_is_a_401) {
  ServerProcess server({}, {in_environment});
  HttpClient client(server.port());
  const HttpResponse missing = post(client, {});
  EXPECT_EQ(missing.status, 401);
  EXPECT_THAT(missing.header("www-authenticate"), HasSubstr("Bearer realm="));
  EXPECT_THAT(missing.body, HasSubstr("Authorization: Bearer"));
  EXPECT_EQ(post(client, {{"X-API-Key", key + "x"}}).status, 401);
  for (const char* path : {"/mgnt", "/mgnt/modules/x", "/mgnt/modules/x/source", "/mgnt/metrics", "/mgnt/nothing"}) {
    EXPECT_EQ(client.get(path).status, 401) << path;
  }
  EXPECT_EQ(client.send("DELETE", "/mgnt/modules/x").status, 401);
  EXPECT_EQ(client.get("/mgnt/health").status, 200);
  EXPECT_EQ(client.get("/posted").status, 404);
}

TEST(AdminKeyTest, it_opens_the_way_through_a_proxy_but_not_for_a_foreign_page_or_name) {
  ServerProcess server({"--admin-host", "admin.example"}, {in_environment});
  HttpClient client(server.port());
  const auto status_with = [&](const char* name, const char* value) {
    Headers headers = with_bearer;
    headers.emplace_back(name, value);
    return client.get("/mgnt", headers).status;
  };
  EXPECT_EQ(status_with("X-Forwarded-For", "192.0.2.1"), 200);
  EXPECT_EQ(status_with("Via", "1.1 proxy"), 200);
  EXPECT_EQ(status_with("Host", "admin.example:8080"), 200);
  EXPECT_EQ(status_with("Host", "other.example"), 403);
  EXPECT_EQ(status_with("Origin", "http://other.example"), 403);
  EXPECT_EQ(status_with("Sec-Fetch-Site", "cross-site"), 403);
}

TEST(AdminKeyTest, a_file_may_hold_it_and_the_process_list_does_not) {
  const KeyFile file;
  ServerProcess server({"--admin-key-file", file.path()});
  HttpClient client(server.port());
  EXPECT_EQ(post(client, {}).status, 401);
  EXPECT_EQ(post(client, with_bearer).status, 200);
  EXPECT_THAT(file_text("/proc/" + std::to_string(server.pid()) + "/cmdline"),
              AllOf(HasSubstr("--admin-key-file"), Not(HasSubstr(key))));
}

TEST(AdminKeyTest, wrong_keys_make_an_address_wait) {
  ServerProcess server({}, {in_environment});
  HttpClient client(server.port());
  HttpResponse response;
  int wrong = 0;
  // As many as are free, and those that come back while this runs.
  do response = post(client, {{"X-API-Key", "guess-" + std::to_string(++wrong)}});
  while (response.status == 401 && wrong < 1000);
  EXPECT_EQ(response.status, 429);
  EXPECT_GT(wrong, 10);
  EXPECT_THAT(response.header("retry-after"), testing::MatchesRegex("[1-9][0-9]*"));
  EXPECT_EQ(client.get("/mgnt/health").status, 200);
  EXPECT_THAT(server.log(), HasSubstr("status=429"));
}

TEST(AdminKeyTest, nobody_finds_it_in_the_environment_of_server_or_helpers) {
  ServerProcess server({}, {in_environment});
  const std::string process = "/proc/" + std::to_string(server.pid());
  ASSERT_THAT(file_text(process + "/environ"), HasSubstr("CWEB_ADMIN_KEY=")) << "it was there";
  EXPECT_THAT(file_text(process + "/environ"), Not(HasSubstr(key)));
  const auto helpers = children_of(server.pid());
  EXPECT_FALSE(helpers.empty());
  for (const pid_t helper : helpers) {
    const std::string variables = file_text("/proc/" + std::to_string(helper) + "/environ");
    EXPECT_THAT(variables, AllOf(Not(HasSubstr("CWEB_ADMIN_KEY")), Not(HasSubstr(key))));
  }
}

TEST(AdminKeyTest, a_module_finds_it_neither_by_getenv_nor_in_environ_nor_in_proc) {
  ServerProcess server({}, {in_environment, "SOMETHING=else"});
  HttpClient client(server.port());
  const std::string source = R"(#include <cweb.h>
#include <unistd.h>

extern char **environ;

static int look(struct http_request *req, struct http_response *res) {
    (void)req;
    const char *value = getenv("CWEB_ADMIN_KEY");
    const char *other = getenv("SOMETHING");
    int listed = 0, in_proc = 0;
    for (char **variable = environ; variable && *variable; variable++) {
        if (strstr(*variable, "e2e-key-of-forty")) listed++;
    }
    static char text[1 << 16];
    FILE *file = fopen("/proc/self/environ", "r");
    size_t length = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) fclose(file);
    for (size_t i = 0; i + 16 < length; i++) in_proc += memcmp(text + i, "e2e-key-of-forty", 16) == 0;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s %s %d %d %s", value ? value : "NULL", other ? other : "NULL", listed,
             in_proc, length > 0 ? "read" : "unread");
    return 0;
}

export module_t config = {.name = "look", .routes = {{"/look", "GET", look, NONE}}, .size = 1};
)";
  const HttpResponse deployed = client.post("/mgnt", source, with_bearer);
  ASSERT_EQ(deployed.status, 200) << deployed.body;
  EXPECT_EQ(client.get("/look").body, "NULL else 0 0 read");
}

TEST(AdminKeyTest, production_without_a_good_key_does_not_start) {
  const auto serve = [](const std::vector<std::string>& variables, const std::vector<std::string>& options) {
    std::vector<std::string> command{"env"};
    command.insert(command.end(), variables.begin(), variables.end());
    command.insert(command.end(), {cweb_binary(), "serve", "--port", "0"});
    command.insert(command.end(), options.begin(), options.end());
    return run_program(command);
  };
  const Finished refused[] = {
      serve({}, {"--production"}),
      serve({"CWEB_ENV=production"}, {}),
      serve({"CWEB_ADMIN_KEY="}, {"--production"}),
      serve({"CWEB_ADMIN_KEY=short"}, {"--production"}),
      serve({"CWEB_ADMIN_KEY="}, {}),
      serve({"CWEB_ADMIN_KEY=a b"}, {}),
      serve({}, {"--admin-key-file", "/nowhere/key"}),
      serve({"CWEB_ENV=prod", in_environment}, {}),
      serve({}, {"--admin-host", "http://a"}),
  };
  for (const Finished& finished : refused) {
    EXPECT_EQ(finished.exit_code, 2) << finished.err;
    EXPECT_THAT(finished.err, AnyOf(HasSubstr("cweb: "), HasSubstr("\"level\":\"error\"")));
    EXPECT_THAT(finished.err, Not(HasSubstr("serving")));
  }
}

TEST(AdminKeyTest, production_asks_its_own_machine_too) {
  ServerProcess server({"--production", "--plain-http"}, {in_environment});
  HttpClient client(server.port());
  EXPECT_EQ(post(client, {}).status, 401);
  EXPECT_EQ(post(client, with_bearer).status, 200);
  EXPECT_THAT(server.log(), AllOf(HasSubstr("$CWEB_ADMIN_KEY"), Not(HasSubstr(key))));
}

}  // namespace
}  // namespace cweb::e2e
