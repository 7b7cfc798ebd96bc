// --modules DIR: what is deployed is there after a restart, what is wrong with a file is told, and nothing that a
// person wrote is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ModulesDirTest : public testing::Test {
 protected:
  void start(std::vector<std::string> options = {}, Supervision supervision = Supervision::none) {
    server_.reset();
    options.insert(options.end(), {"--modules", files_.path()});
    server_ = std::make_unique<ServerProcess>(options, std::vector<std::string>{}, supervision);
  }
  HttpResponse send(const std::string& method, const std::string& path) {
    return HttpClient(server_->port()).send(method, path);
  }
  std::string get(const std::string& path) { return send("GET", path).body; }
  DeployAnswer post(const std::string& source) { return deploy(server_->port(), source); }
  /// The row of a file in GET /mgnt; null when there is none.
  json row_of(const std::string& file) {
    const json list = json::parse(get("/mgnt"), nullptr, false);
    if (!list.is_object()) return nullptr;  // the process died before it answered
    for (const json& row : list.value("files", json::array())) {
      if (row["file"] == file) return row;
    }
    return nullptr;
  }
  /// Files that hold modules, and no others of the directory's own.
  std::vector<std::string> module_files() const {
    std::vector<std::string> names;
    for (const std::string& name : files_.files()) {
      if (!name.starts_with(".")) names.push_back(name);
    }
    return names;
  }

  TemporaryDirectory files_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(ModulesDirTest, what_was_deployed_answers_after_a_restart_with_its_version_and_time) {
  start();
  const std::string source = answering_module("kept", "/kept", "second");
  ASSERT_TRUE(post(answering_module("kept", "/kept", "first")).deployed());
  ASSERT_TRUE(post(source).deployed());
  HttpClient before(server_->port());
  const json status = module_status(before, "kept");
  EXPECT_EQ(files_.read("kept.c"), source);
  start();
  EXPECT_EQ(get("/kept"), "second");
  EXPECT_THAT(server_->log(), HasSubstr("1 of 1 files became live"));
  EXPECT_THAT(server_->log(), HasSubstr("1 of them without compiling"));
  HttpClient after(server_->port());
  EXPECT_EQ(module_status(after, "kept")["version"], status["version"]);
  EXPECT_EQ(module_status(after, "kept")["hash"], status["hash"]);
  EXPECT_EQ(post(source).outcome(), "unchanged");
}

TEST_F(ModulesDirTest, what_was_removed_stays_removed_and_can_be_brought_back) {
  start();
  ASSERT_TRUE(post(answering_module("gone", "/gone", "here")).deployed());
  EXPECT_EQ(send("DELETE", "/mgnt/modules/gone").status, 200);
  EXPECT_THAT(module_files(), IsEmpty());
  start();
  EXPECT_EQ(send("GET", "/gone").status, 404);
  EXPECT_EQ(send("POST", "/mgnt/modules/gone/rollback").status, 200);
  EXPECT_EQ(get("/gone"), "here");
  EXPECT_THAT(module_files(), ElementsAre("gone.c"));
}

TEST_F(ModulesDirTest, without_the_option_nothing_is_kept_and_the_answer_says_what_would) {
  ServerProcess server;
  ASSERT_TRUE(deploy(server.port(), answering_module("kept", "/kept", "here")).deployed());
  HttpClient client(server.port());
  EXPECT_THAT(client.get("/mgnt/modules/kept/history").body, HasSubstr("--modules DIR"));
  EXPECT_EQ(client.post("/mgnt/modules/kept/rollback", "").status, 404);
  EXPECT_THAT(client.get("/mgnt").body, Not(HasSubstr("\"files\"")));
}

TEST_F(ModulesDirTest, a_file_that_does_not_compile_is_reported_and_left_alone_and_the_rest_serves) {
  const std::string broken = "int broken = ;\n";
  files_.write("broken.c", broken);
  files_.write("good.c", answering_module("good", "/good", "fine"));
  files_.write("unnamed.c", "int nothing;\n");
  start();
  EXPECT_EQ(get("/good"), "fine");
  EXPECT_EQ(row_of("good.c")["status"], "served");
  const json row = row_of("broken.c");
  EXPECT_EQ(row["status"], "failed");
  EXPECT_EQ(row["stage"], "compile");
  EXPECT_THAT(row["rendered"].get<std::string>(), HasSubstr("module.c:1:14: error: expected expression"));
  EXPECT_EQ(row_of("unnamed.c")["stage"], "config");
  EXPECT_THAT(server_->log(), HasSubstr("broken.c is not served (compile)"));
  EXPECT_EQ(files_.read("broken.c"), broken);
}

TEST_F(ModulesDirTest, a_module_from_a_file_of_another_name_is_written_back_to_it) {
  files_.write("hello.c", answering_module("greeting", "/greeting", "first"));
  start();
  EXPECT_EQ(get("/greeting"), "first");
  const std::string second = answering_module("greeting", "/greeting", "second");
  ASSERT_TRUE(post(second).deployed());
  EXPECT_EQ(files_.read("hello.c"), second);
  EXPECT_THAT(module_files(), ElementsAre("hello.c"));
  start();
  EXPECT_EQ(get("/greeting"), "second");
}

TEST_F(ModulesDirTest, odd_names_are_kept_below_the_directory) {
  start();
  const std::vector<std::string> names = {".hidden", "50%", "with space", "a\\b", std::string(127, '%')};
  for (size_t i = 0; i < names.size(); ++i) {
    std::string in_c;
    for (const char c : names[i]) in_c += c == '\\' ? "\\\\" : std::string(1, c);
    const DeployAnswer answer = post(answering_module(in_c, "/odd/" + std::to_string(i), "odd"));
    EXPECT_TRUE(answer.deployed()) << answer;
  }
  EXPECT_EQ(module_files().size(), names.size());
  start();
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(get("/odd/" + std::to_string(i)), "odd") << names[i];
}

TEST_F(ModulesDirTest, the_history_has_the_last_twenty_versions_and_a_rollback_goes_to_any_of_them) {
  start();
  std::vector<std::string> hashes;
  for (int i = 1; i <= 22; ++i) {
    const DeployAnswer answer = post(answering_module("many", "/many", "version " + std::to_string(i)));
    ASSERT_TRUE(answer.deployed()) << answer;
    hashes.push_back(answer.report["module"]["hash"]);
  }
  const json history = json::parse(get("/mgnt/modules/many/history"))["versions"];
  ASSERT_EQ(history.size(), 20U);
  EXPECT_EQ(history[0]["hash"], hashes[21]);
  EXPECT_EQ(history[0]["live"], true);
  EXPECT_EQ(history[19]["hash"], hashes[2]);

  EXPECT_EQ(send("POST", "/mgnt/modules/many/rollback").status, 200);
  EXPECT_EQ(get("/many"), "version 21");
  EXPECT_EQ(send("POST", "/mgnt/modules/many/rollback?to=" + hashes[9].substr(0, 12)).status, 200);
  EXPECT_EQ(get("/many"), "version 10");
  EXPECT_EQ(send("POST", "/mgnt/modules/many/rollback?to=" + hashes[0]).status, 404);
  EXPECT_EQ(send("POST", "/mgnt/modules/many/rollback?to=xyz").status, 400);
  EXPECT_EQ(send("POST", "/mgnt/modules/nobody/rollback").status, 404);
  EXPECT_EQ(send("GET", "/mgnt/modules/nobody/history").status, 404);
  EXPECT_EQ(send("GET", "/mgnt/modules/many/rollback").status, 405);
  EXPECT_THAT(server_->log(), HasSubstr("action=rollback module=\"many\""));
  start();
  EXPECT_EQ(get("/many"), "version 10");
}

TEST_F(ModulesDirTest, a_second_server_on_the_directory_does_not_start_and_the_first_goes_on) {
  start();
  ASSERT_TRUE(post(answering_module("kept", "/kept", "here")).deployed());
  const Finished second =
      run_program({cweb_binary(), "serve", "--port", "0", "--no-supervisor", "--modules", files_.path()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("another cweb server keeps its modules there"));
  EXPECT_EQ(get("/kept"), "here");
}

TEST_F(ModulesDirTest, a_directory_that_cannot_be_is_a_sentence) {
  const auto error_of = [](const std::string& directory) {
    return run_program({cweb_binary(), "serve", "--port", "0", "--no-supervisor", "--modules", directory}).err;
  };
  EXPECT_THAT(error_of(files_.path("a/b")), HasSubstr("make it first"));
  files_.write("file", "");
  EXPECT_THAT(error_of(files_.path("file")), HasSubstr("Not a directory"));
}

TEST_F(ModulesDirTest, a_file_that_was_changed_by_hand_in_production_is_not_written_over) {
  files_.write(".key", "0123456789abcdef0123456789abcdef\n");
  start({"--production", "--plain-http", "--admin-key-file", files_.path(".key")});
  const Headers key{{"Authorization", "Bearer 0123456789abcdef0123456789abcdef"}};
  HttpClient client(server_->port());
  ASSERT_EQ(client.post("/mgnt", answering_module("kept", "/kept", "first"), key).status, 200);
  const std::string by_hand = answering_module("kept", "/kept", "by hand");
  files_.write("kept.c", by_hand);
  const HttpResponse refused = client.post("/mgnt", answering_module("kept", "/kept", "second"), key);
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("kept.c was changed by somebody else"));
  EXPECT_EQ(client.send("DELETE", "/mgnt/modules/kept", {}, key).status, 409);
  EXPECT_EQ(get("/kept"), "first");
  EXPECT_EQ(files_.read("kept.c"), by_hand);
}

TEST_F(ModulesDirTest, a_damaged_cache_is_compiled_anew_and_never_run) {
  start();
  ASSERT_TRUE(post(answering_module("kept", "/kept", "here")).deployed());
  server_->stop();
  size_t damaged = 0;
  for (const std::string& file : files_.files()) {
    if (!file.starts_with(".cache/")) continue;
    std::string bytes = files_.read(file);
    for (size_t i = 0; i < bytes.size(); i += 64) bytes[i] = static_cast<char>(~bytes[i]);
    files_.write(file, bytes);
    ++damaged;
  }
  EXPECT_EQ(damaged, 1U);
  start();
  EXPECT_EQ(get("/kept"), "here");
  EXPECT_THAT(server_->log(), HasSubstr("is damaged: compiling anew"));
  EXPECT_THAT(server_->log(), HasSubstr("0 of them without compiling"));
}

TEST_F(ModulesDirTest, other_options_for_headers_make_other_code) {
  const TemporaryDirectory headers;
  headers.write("answer.h", "#define ANSWER \"first\"\n");
  std::string source = answering_module("kept", "/kept", "@");
  source.insert(0, "#include <answer.h>\n");
  source.replace(source.find("\"@\""), 3, "ANSWER");
  start({"--include", headers.path()});
  ASSERT_TRUE(post(source).deployed());
  EXPECT_EQ(get("/kept"), "first");
  server_->stop();
  headers.write("answer.h", "#define ANSWER \"second\"\n");
  start({"--include", headers.path()});
  EXPECT_EQ(get("/kept"), "second") << "the header is part of what the object code is known by";
}

/// The server process that a parent looks after.
pid_t serving(const ServerProcess& server) {
  const std::vector<pid_t> children = children_of(server.pid());
  return children.size() == 1 ? children[0] : -1;
}

/// The process does not survive its onload, and no handler sees it coming.
constexpr const char* deadly_module = R"(#include <cweb.h>
#include <unistd.h>

static void die(void) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(62L), "D"((long)getpid()), "S"(9L) : "rcx", "r11", "memory");
}
static int fine(struct http_request *req, struct http_response *res) { return 0; }

export module_t config = {
    .name = "deadly", .routes = {{"/deadly", "GET", fine, NONE}}, .size = 1, .onload = die,
};
)";

TEST_F(ModulesDirTest, a_file_that_the_process_dies_of_at_the_start_is_left_out_and_the_rest_serves) {
  files_.write("a.c", answering_module("first", "/first", "here"));
  files_.write("deadly.c", deadly_module);
  files_.write("z.c", answering_module("last", "/last", "here"));
  start({}, Supervision::by_parent);
  EXPECT_EQ(get("/first"), "here");
  EXPECT_EQ(get("/last"), "here");
  EXPECT_EQ(send("GET", "/deadly").status, 404);
  EXPECT_THAT(row_of("deadly.c")["message"].get<std::string>(), HasSubstr("the server process died of this module"));
  EXPECT_EQ(files_.read("deadly.c"), deadly_module);
}

TEST_F(ModulesDirTest, an_edit_that_the_process_dies_of_is_left_out_and_the_version_before_serves_unblamed) {
  start({}, Supervision::by_parent);
  ASSERT_TRUE(post(answering_module("deadly", "/deadly", "alive")).deployed());
  const pid_t first = serving(*server_);
  files_.write("deadly.c", deadly_module);
  // Each round two processes die of the edit. As many deaths quarantine a module, were they its own.
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(eventually([&] {
      const json row = row_of("deadly.c");
      return serving(*server_) != first && row.is_object() && row.value("stage", "") == "start";
    }));
    EXPECT_EQ(get("/deadly"), "alive");
    EXPECT_THAT(row_of("deadly.c")["keeps_serving"].get<std::string>(), HasSubstr("deadly, version 1"));
    const pid_t before = serving(*server_);
    ASSERT_GT(before, 0);
    kill(before, SIGKILL);
    ASSERT_TRUE(eventually([&] { return serving(*server_) > 0 && serving(*server_) != before; }));
  }
  ASSERT_TRUE(eventually([&] { return get("/deadly") == "alive"; }));
  EXPECT_EQ(files_.read("deadly.c"), deadly_module);
}

TEST_F(ModulesDirTest, where_the_onload_of_a_module_s_first_file_fails_its_second_serves) {
  std::string failing = deadly_module;
  failing.replace(failing.find("long result;"), 0, "__builtin_trap(); ");
  files_.write("a.c", failing);
  files_.write("b.c", answering_module("deadly", "/deadly", "alive"));
  start();
  EXPECT_EQ(get("/deadly"), "alive");
  EXPECT_EQ(row_of("a.c")["stage"], "onload");
  EXPECT_EQ(row_of("b.c")["status"], "served");
}

TEST_F(ModulesDirTest, a_process_that_takes_a_killed_one_s_place_has_the_directory_and_what_is_in_it) {
  start({}, Supervision::by_parent);
  ASSERT_TRUE(post(answering_module("kept", "/kept", "first")).deployed());
  ASSERT_TRUE(post(answering_module("gone", "/gone", "here")).deployed());
  for (int round = 0; round < 3; ++round) {
    const pid_t before = serving(*server_);
    ASSERT_GT(before, 0);
    kill(before, SIGKILL);
    // Done by hand while nobody serves, or nobody looks yet: the directory wins.
    files_.write("kept.c", answering_module("kept", "/kept", "round " + std::to_string(round)));
    if (round == 1) std::filesystem::remove(files_.path("gone.c"));
    ASSERT_TRUE(eventually([&] { return serving(*server_) > 0 && serving(*server_) != before; }));
    EXPECT_TRUE(eventually([&] { return get("/kept") == "round " + std::to_string(round); })) << get("/kept");
    if (round >= 1) {
      EXPECT_TRUE(eventually([&] { return send("GET", "/gone").status == 404; }));
    }
  }
  ASSERT_TRUE(post(answering_module("kept", "/kept", "last")).deployed());
  EXPECT_EQ(get("/kept"), "last");
}

}  // namespace
}  // namespace cweb::e2e
