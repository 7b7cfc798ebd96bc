// --modules DIR when the server process dies and its parent starts another: what is live stays live, whatever has
// become of its file meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"
#include "temporary_directory.h"

namespace cweb::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// In production, so that nobody looks at the files until the process has died.
class ModulesRestartTest : public testing::Test {
 protected:
  Headers as_admin() const { return {{"Authorization", std::string("Bearer ") + key}}; }
  HttpResponse get(const std::string& path) { return HttpClient(server_.port()).send("GET", path, {}, as_admin()); }
  long post(const std::string& source) { return HttpClient(server_.port()).post("/mgnt", source, as_admin()).status; }
  json row_of(const std::string& file) {
    const json list = json::parse(get("/mgnt").body, nullptr, false);
    for (const json& row : list.value("files", json::array())) {
      if (row["file"] == file) return row;
    }
    return json::object();
  }
  void kill_serving() {
    const auto serving = [&] {
      const std::vector<pid_t> children = children_of(server_.pid());
      return children.size() == 1 ? children[0] : -1;
    };
    const pid_t before = serving();
    ASSERT_GT(before, 0);
    kill(before, SIGKILL);
    ASSERT_TRUE(eventually([&] { return serving() > 0 && serving() != before; }));
    // The sockets wait for the next process.
    ASSERT_TRUE(eventually([&] { return get("/mgnt").status == 200; }));
  }

  static constexpr const char* key = "0123456789abcdef0123456789abcdef";
  TemporaryDirectory files_, keys_;
  ServerProcess server_{{"--modules", files_.path(), "--production", "--plain-http", "--admin-key-file", key_file()},
                        {},
                        Supervision::by_parent};

 private:
  std::string key_file() {
    keys_.write("key", std::string(key) + "\n");
    return keys_.path("key");
  }
};

TEST_F(ModulesRestartTest, a_module_whose_file_is_broken_goes_on) {
  ASSERT_EQ(post(answering_module("kept", "/kept", "here")), 200);
  const std::string broken = answering_module("kept", "/kept", "other") + "oops\n";
  files_.write("kept.c", broken);
  for (int round = 0; round < 2; ++round) {
    kill_serving();
    EXPECT_EQ(get("/kept").body, "here");
    EXPECT_EQ(row_of("kept.c").value("status", ""), "failed");
    EXPECT_EQ(row_of("kept.c").value("stage", ""), "compile");
    EXPECT_THAT(row_of("kept.c").value("keeps_serving", ""), HasSubstr("kept, version 1"));
    EXPECT_EQ(files_.read("kept.c"), broken);
  }
}

TEST_F(ModulesRestartTest, a_module_whose_file_names_nobody_or_cannot_be_read_goes_on) {
  ASSERT_EQ(post(answering_module("unnamed", "/unnamed", "here")), 200);
  ASSERT_EQ(post(answering_module("long", "/long", "here")), 200);
  files_.write("unnamed.c", "int half");
  files_.write("long.c", std::string((size_t{4} << 20) + 1, ' '));
  kill_serving();
  EXPECT_EQ(get("/unnamed").body, "here");
  EXPECT_EQ(get("/long").body, "here");
  EXPECT_EQ(row_of("unnamed.c").value("module", ""), "unnamed");
  EXPECT_THAT(row_of("long.c").value("keeps_serving", ""), HasSubstr("long, version 1"));
}

TEST_F(ModulesRestartTest, a_file_that_takes_the_route_of_one_that_is_gone_serves) {
  ASSERT_EQ(post(answering_module("gone", "/shared", "old")), 200);
  std::filesystem::remove(files_.path("gone.c"));
  files_.write("next.c", answering_module("next", "/shared", "new"));
  kill_serving();
  EXPECT_EQ(get("/shared").body, "new");
  EXPECT_EQ(row_of("next.c").value("status", ""), "served");
}

TEST_F(ModulesRestartTest, a_module_whose_file_is_gone_goes_too) {
  ASSERT_EQ(post(answering_module("gone", "/gone", "here")), 200);
  ASSERT_EQ(post(answering_module("kept", "/kept", "here")), 200);
  std::filesystem::remove(files_.path("gone.c"));
  kill_serving();
  EXPECT_EQ(get("/gone").status, 404);
  EXPECT_EQ(get("/kept").body, "here");
}

}  // namespace
}  // namespace cweb::e2e
