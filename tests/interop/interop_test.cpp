// WebSocket clients that other people wrote get along with the server. The cases are in cases.js: they are the same for
// each package, with permessage-deflate and without.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "child_process.h"
#include "deploying.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

class InteropTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(InteropTest, every_case) {
  const auto [package, mode] = GetParam();
  ServerProcess server;
  for (const char* module : {"modules/echo.c", "tests/interop/closing.c"}) {
    const DeployAnswer answer = deploy(server.port(), read_project_file(module));
    ASSERT_TRUE(answer.deployed()) << module << ": " << answer;
  }
  const Finished cases = run_program({"env", "NODE_PATH=" NODE_PACKAGES, "node", project_file("tests/interop/cases.js"),
                                      package, mode, "ws://127.0.0.1:" + std::to_string(server.port())});
  EXPECT_EQ(cases.exit_code, 0) << cases.out << cases.err;
}

INSTANTIATE_TEST_SUITE_P(Packages, InteropTest,
                         testing::Combine(testing::Values(std::string("ws"), "websocket"),
                                          testing::Values(std::string("plain"), "compressed")),
                         [](const auto& info) { return std::get<0>(info.param) + "_" + std::get<1>(info.param); });

}  // namespace
}  // namespace cweb::e2e
