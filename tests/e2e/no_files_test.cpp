// Nothing touches the file system on the way from source to running code, in the server or in its helpers: the kernel's
// own account of their system calls, from before the first deploy on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"
#include "system_calls.h"

namespace cweb::e2e {
namespace {

/// Every call that takes the name of a file, or that makes a file without one.
constexpr const char* file_calls = "%file,open_by_handle_at,memfd_create";

/// One warm helper is enough for the server to be ready; the others start up for a little longer.
std::vector<pid_t> server_and_helpers(const ServerProcess& server) {
  std::vector<pid_t> all = children_of(server.pid());
  EXPECT_TRUE(eventually([&] { return std::all_of(all.begin(), all.end(), is_sandboxed); }));
  all.push_back(server.pid());
  return all;
}

/// What deploys do: good and bad ones, with all the headers and libraries that modules use.
void deploy_all_kinds(HttpClient& client) {
  EXPECT_TRUE(deploy(client, read_project_file("modules/counter.c")).deployed());
  EXPECT_TRUE(deploy(client, read_project_file("modules/json.c")).deployed());
  EXPECT_TRUE(deploy(client, read_project_file("modules/upload.c")).deployed());
  EXPECT_TRUE(deploy(client, counting_module("counted", "/counted")).deployed());
  EXPECT_EQ(client.get("/counted").body, "count 1");
  EXPECT_TRUE(deploy(client, counting_module("counted", "/counted") + "/* again */\n").deployed());
  EXPECT_EQ(deploy(client, "#include \"/etc/passwd\"\n").status, 422);
  EXPECT_EQ(deploy(client, "#include <no_such_header.h>\n").status, 422);
  EXPECT_EQ(deploy(client, "int broken = ;\n").status, 422);
  EXPECT_EQ(
      deploy(client, counting_module("linked", "/linked") + "int no(void);\nint f(void) { return no(); }\n").status,
      422);
  EXPECT_EQ(client.send("DELETE", "/mgnt/modules/counted").status, 200);
}

TEST(NoFilesTest, deploys_open_no_file_in_server_or_helpers) {
  ServerProcess server;
  HttpClient client(server.port());
  SystemCalls calls(server_and_helpers(server), file_calls);
  client.set_time(4 * patience);
  deploy_all_kinds(client);
  EXPECT_EQ(calls.finish(), "");
}

TEST(NoFilesTest, deploys_open_no_file_when_compiling_in_process) {
  ServerProcess server({"--compile-in-process"});
  HttpClient client(server.port());
  SystemCalls calls(server_and_helpers(server), file_calls);
  client.set_time(4 * patience);
  deploy_all_kinds(client);
  EXPECT_EQ(calls.finish(), "");
}

TEST(NoFilesTest, a_file_that_is_opened_would_be_seen) {
  ServerProcess server;
  HttpClient client(server.port());
  SystemCalls calls(server_and_helpers(server), file_calls);
  EXPECT_TRUE(deploy(client, fill_in(R"(#include <cweb.h>
static int look(struct http_request *req, struct http_response *res) {
    FILE *file = fopen("/dev/null", "r");
    if (file != NULL) fclose(file);
    return 0;
}
export module_t config = {.name = "looking", .routes = {{"/look", "GET", look, NONE}}, .size = 1};
)",
                                     {}))
                  .deployed());
  EXPECT_EQ(client.get("/look").status, 200);
  EXPECT_THAT(calls.finish(), testing::HasSubstr("\"/dev/null\""));
}

}  // namespace
}  // namespace cweb::e2e
