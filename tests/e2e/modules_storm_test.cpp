// kill -9 at a random moment of a storm of deploys: after a restart every module is there in the version whose deploy
// was answered, or a later one, and every file compiles. CWEB_STORM_ROUNDS asks for more rounds than the ordinary run
// has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "server_process.h"
#include "temporary_directory.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;

constexpr size_t modules_of_each = 3;
constexpr size_t clients = 2;

int rounds() {
  const char* const wanted = std::getenv("CWEB_STORM_ROUNDS");
  return wanted != nullptr ? std::atoi(wanted) : repetitions(10, 3);
}

/// One module as its only client knows it.
struct Module {
  std::string name;
  int sent = 0, answered = 0;
  bool may_be_removed = false;  // its removal was asked for since, and not answered with a failure
  bool is_removed = false;      // and answered with success
};

/// Deploys one module after the other, and removes one now and then, until the server is gone.
void deploy_until_killed(uint16_t port, std::vector<Module*> modules, unsigned seed, std::atomic<int>& deploys) {
  std::mt19937 random(seed);
  HttpClient client(port);
  for (size_t i = 0;; ++i) {
    Module& module = *modules[i % modules.size()];
    if (random() % 8 == 0 && module.answered > 0 && !module.is_removed) {
      module.may_be_removed = true;
      const HttpResponse answer = client.send("DELETE", "/mgnt/modules/" + module.name);
      if (answer.status == 0) return;
      EXPECT_EQ(answer.status, 200) << answer.body;
      module.is_removed = true;
    }
    const int version = module.sent + 1;
    module.sent = version;
    const DeployAnswer answer =
        deploy(client, answering_module(module.name, "/storm/" + module.name, std::to_string(version)));
    if (answer.status == 0) return;
    EXPECT_TRUE(answer.deployed()) << answer;
    if (!answer.deployed()) return;
    module.answered = version;
    module.may_be_removed = module.is_removed = false;
    ++deploys;
  }
}

void expect_kept(uint16_t port, Module& module) {
  HttpClient client(port);
  const HttpResponse answer = client.get("/storm/" + module.name);
  if (answer.status == 404 && (module.answered == 0 || module.may_be_removed)) {
    module.answered = 0;
    return;
  }
  ASSERT_EQ(answer.status, 200) << module.name << " answered " << module.answered << ", sent " << module.sent;
  const int version = std::atoi(answer.body.c_str());
  EXPECT_LE(version, module.sent);
  if (module.is_removed) {
    EXPECT_GT(version, module.answered) << "a removed version is back";
  } else {
    EXPECT_GE(version, module.answered) << "a version that was answered is lost";
  }
  module.answered = version;
  module.may_be_removed = module.is_removed = false;
}

void expect_all_compile(uint16_t port) {
  const json list = json::parse(HttpClient(port).get("/mgnt").body, nullptr, false);
  for (const json& row : list.value("files", json::array())) EXPECT_EQ(row["status"], "served") << row;
}

TEST(ModulesStormTest, after_kill_9_what_was_answered_is_there_and_every_file_compiles) {
  TemporaryDirectory files;
  std::array<std::array<Module, modules_of_each>, clients> modules;
  for (size_t i = 0; i < clients; ++i) {
    for (size_t j = 0; j < modules_of_each; ++j) {
      modules[i][j].name = "m" + std::to_string(i) + "_" + std::to_string(j);
    }
  }
  std::mt19937 random(20'261'126);
  std::atomic<int> deploys{0};
  const int all = rounds();
  for (int round = 0; round <= all; ++round) {
    ServerProcess server({"--modules", files.path()});
    ASSERT_NE(server.port(), 0);
    for (auto& of_one : modules) {
      for (Module& module : of_one) expect_kept(server.port(), module);
    }
    expect_all_compile(server.port());
    if (round == all || testing::Test::HasFailure()) break;
    std::vector<std::thread> threads;
    for (auto& of_one : modules) {
      std::vector<Module*> own;
      for (Module& module : of_one) own.push_back(&module);
      threads.emplace_back(deploy_until_killed, server.port(), own, static_cast<unsigned>(random()), std::ref(deploys));
    }
    // The random moment is the test's point, not a wait for something.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000) * slowness);
    server.expect_no_clean_end();
    kill(server.pid(), SIGKILL);
    for (std::thread& thread : threads) thread.join();
    server.stop();
  }
  std::printf("%d rounds, %d deploys were answered\n", all, deploys.load());
  EXPECT_GT(deploys, 0);
}

}  // namespace
}  // namespace cweb::e2e
