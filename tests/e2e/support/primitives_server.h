// A server for the tests of what all modules share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "deploying.h"
#include "server_process.h"

namespace cweb::e2e {

class PrimitivesTest : public testing::Test {
 protected:
  std::string get(const std::string& path) {
    const HttpResponse response = client_.get(path);
    return std::to_string(response.status) + " " + response.body;
  }
  void deploy_source(const std::string& source) {
    const DeployAnswer answer = deploy(client_, source);
    ASSERT_TRUE(answer.deployed()) << answer;
  }

  ServerProcess server_{{"--threads", "2", "--fault-limit", "0", "--deadline-ms", "1000"}};
  HttpClient client_{server_.port()};
};

}  // namespace cweb::e2e
