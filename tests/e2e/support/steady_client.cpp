#include "steady_client.h"

#include <gtest/gtest.h>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"

namespace cweb::e2e {

SteadyClient::SteadyClient(uint16_t port) {
  EXPECT_TRUE(deploy(port, counting_module("steady", "/steady")).deployed());
  thread_ = std::thread([this, port] { ask(port); });
}

SteadyClient::~SteadyClient() {
  stopping_ = true;
  thread_.join();
  EXPECT_EQ(failure_, "") << "of the client of another module, after " << answers_ << " answers";
  EXPECT_GT(answers_, 0);
}

void SteadyClient::wait_for_answers(int count) {
  const int enough = answers_ + count;
  EXPECT_TRUE(eventually([&] { return answers_ >= enough; })) << "another module's requests are not answered";
}

void SteadyClient::ask(uint16_t port) {
  HttpClient client(port);
  while (!stopping_ && failure_.empty()) {
    const HttpResponse response = client.get("/steady");
    if (response.status != 200 || response.body != "count " + std::to_string(answers_ + 1)) {
      failure_ = std::to_string(response.status) + " " + response.error + " " + response.body;
    } else {
      ++answers_;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace cweb::e2e
