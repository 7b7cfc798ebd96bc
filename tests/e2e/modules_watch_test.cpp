// In development, files that are put into the directory of modules, edited there or taken away are deployed as by POST,
// however they are saved.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "deploying.h"
#include "http_client.h"
#include "pace.h"
#include "server_process.h"
#include "temporary_directory.h"

namespace cweb::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class ModulesWatchTest : public testing::Test {
 protected:
  std::string get(const std::string& path) { return HttpClient(server_.port()).get(path).body; }
  long status_of(const std::string& path) { return HttpClient(server_.port()).get(path).status; }
  bool becomes(const std::string& path, const std::string& body) {
    return eventually([&] { return get(path) == body; });
  }
  json row_of(const std::string& file) {
    const json list = json::parse(get("/mgnt"), nullptr, false);
    for (const json& row : list.value("files", json::array())) {
      if (row["file"] == file) return row;
    }
    return json::object();
  }
  bool fails(const std::string& file, const std::string& stage) {
    return eventually([&] {
      const json row = row_of(file);
      return row.value("status", "") == "failed" && row.value("stage", "") == stage;
    });
  }

  TemporaryDirectory files_;
  ServerProcess server_{{"--modules", files_.path()}};
};

/// Ways of editors to save: vi writes anew in place or by renaming, others through a temporary file or after removing.
struct Save {
  const char* name;
  std::function<void(const TemporaryDirectory&, const std::string&, const std::string&)> save;
};
void PrintTo(const Save& save, std::ostream* out) {
  *out << save.name;
}

const Save in_place{"in_place", [](const auto& files, const auto& name, const auto& text) { files.write(name, text); }};
const Save by_rename{"by_rename", [](const auto& files, const auto& name, const auto& text) {
                       files.write("." + name + ".tmp", text);
                       fs::rename(files.path("." + name + ".tmp"), files.path(name));
                     }};
const Save with_backup{"with_backup", [](const auto& files, const auto& name, const auto& text) {
                         if (files.has(name)) fs::rename(files.path(name), files.path(name + "~"));
                         files.write(name, text);
                         fs::remove(files.path(name + "~"));
                       }};
const Save removed_first{"removed_first", [](const auto& files, const auto& name, const auto& text) {
                           fs::remove(files.path(name));
                           files.write("4913", "");
                           fs::remove(files.path("4913"));
                           files.write(name, text);
                         }};
const Save in_pieces{"in_pieces", [](const auto& files, const auto& name, const auto& text) {
                       files.write(name, text.substr(0, text.size() / 2));
                       files.write(name, text);
                     }};

class SavingTest : public ModulesWatchTest, public testing::WithParamInterface<Save> {};

TEST_P(SavingTest, a_file_that_is_saved_is_deployed) {
  GetParam().save(files_, "edited.c", answering_module("edited", "/edited", "first"));
  EXPECT_TRUE(becomes("/edited", "first"));
  GetParam().save(files_, "edited.c", answering_module("edited", "/edited", "second"));
  EXPECT_TRUE(becomes("/edited", "second"));
  EXPECT_EQ(row_of("edited.c")["status"], "served");
}

INSTANTIATE_TEST_SUITE_P(ModulesWatchTest, SavingTest,
                         testing::Values(in_place, by_rename, with_backup, removed_first, in_pieces),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(ModulesWatchTest, a_file_that_is_taken_away_takes_its_module_away) {
  files_.write("edited.c", answering_module("edited", "/edited", "first"));
  ASSERT_TRUE(becomes("/edited", "first"));
  fs::remove(files_.path("edited.c"));
  EXPECT_TRUE(eventually([&] { return status_of("/edited") == 404; }));
  EXPECT_THAT(server_.log(), HasSubstr("edited.c is gone: module edited is removed"));
}

TEST_F(ModulesWatchTest, a_save_that_does_not_compile_is_told_and_the_version_before_goes_on) {
  files_.write("edited.c", answering_module("edited", "/edited", "first"));
  ASSERT_TRUE(becomes("/edited", "first"));
  files_.write("edited.c", answering_module("edited", "/edited", "second") + "oops\n");
  ASSERT_TRUE(fails("edited.c", "compile"));
  const json row = row_of("edited.c");
  EXPECT_THAT(row["keeps_serving"].get<std::string>(), HasSubstr("edited, version 1"));
  EXPECT_THAT(row["rendered"].get<std::string>(), HasSubstr("error:"));
  EXPECT_THAT(server_.log(), HasSubstr("unknown type name 'oops'"));
  EXPECT_EQ(get("/edited"), "first");
  files_.write("edited.c", answering_module("edited", "/edited", "third"));
  EXPECT_TRUE(becomes("/edited", "third"));
  EXPECT_EQ(row_of("edited.c")["status"], "served");
}

TEST_F(ModulesWatchTest, what_is_posted_is_not_deployed_a_second_time) {
  ASSERT_TRUE(deploy(server_.port(), counting_module("posted", "/posted")).deployed());
  EXPECT_EQ(get("/posted"), "count 1");
  // When this is there, the watch has looked at what came before.
  files_.write("later.c", answering_module("later", "/later", "here"));
  ASSERT_TRUE(becomes("/later", "here"));
  EXPECT_EQ(get("/posted"), "count 2");
  HttpClient client(server_.port());
  EXPECT_EQ(module_status(client, "posted")["version"], 1);
}

TEST_F(ModulesWatchTest, a_file_that_gets_another_module_gives_the_first_one_up) {
  files_.write("edited.c", answering_module("before", "/before", "here"));
  ASSERT_TRUE(becomes("/before", "here"));
  files_.write("edited.c", answering_module("after", "/after", "here"));
  EXPECT_TRUE(becomes("/after", "here"));
  EXPECT_TRUE(eventually([&] { return status_of("/before") == 404; }));
  EXPECT_EQ(row_of("edited.c")["module"], "after");
}

TEST_F(ModulesWatchTest, a_second_file_of_a_module_waits_until_the_first_is_gone) {
  files_.write("a.c", answering_module("edited", "/edited", "a"));
  ASSERT_TRUE(becomes("/edited", "a"));
  files_.write("b.c", answering_module("edited", "/edited", "b"));
  ASSERT_TRUE(fails("b.c", "keep"));
  EXPECT_THAT(row_of("b.c")["message"].get<std::string>(), HasSubstr("is served from a.c"));
  EXPECT_EQ(get("/edited"), "a");
  fs::remove(files_.path("b.c"));
  EXPECT_TRUE(eventually([&] { return row_of("b.c").empty(); }));
  EXPECT_EQ(get("/edited"), "a") << "the module is not b.c's";
  files_.write("b.c", answering_module("edited", "/edited", "b"));
  ASSERT_TRUE(fails("b.c", "keep"));
  fs::remove(files_.path("a.c"));
  EXPECT_TRUE(becomes("/edited", "b"));
}

TEST_F(ModulesWatchTest, files_of_editors_and_hidden_ones_are_left_alone) {
  const std::string source = answering_module("never", "/never", "here");
  for (const char* name : {".never.c.swp", "never.c~", "#never.c#", ".never.c", "never.h", "4913"}) {
    files_.write(name, source);
  }
  files_.write("later.c", answering_module("later", "/later", "here"));
  ASSERT_TRUE(becomes("/later", "here"));
  EXPECT_EQ(status_of("/never"), 404);
}

TEST_F(ModulesWatchTest, a_link_is_served_and_a_deploy_does_not_write_through_it) {
  const TemporaryDirectory elsewhere;
  const std::string source = answering_module("linked", "/linked", "here");
  elsewhere.write("real.c", source);
  fs::create_symlink(elsewhere.path("real.c"), files_.path("linked.c"));
  ASSERT_TRUE(becomes("/linked", "here"));
  const DeployAnswer answer = deploy(server_.port(), answering_module("linked", "/linked", "other"));
  EXPECT_EQ(answer.status, 409) << answer;
  EXPECT_THAT(answer.error(), HasSubstr("is a symbolic link"));
  EXPECT_EQ(elsewhere.read("real.c"), source);
  EXPECT_EQ(get("/linked"), "here");
}

TEST_F(ModulesWatchTest, editing_and_posting_at_once_ends_with_what_is_on_the_disk) {
  std::atomic<bool> done{false};
  std::thread poster([&] {
    for (int i = 0; !done; ++i) deploy(server_.port(), answering_module("both", "/both", "post " + std::to_string(i)));
  });
  for (int i = 0; i < repetitions(60, 10); ++i) {
    by_rename.save(files_, "both.c", answering_module("both", "/both", "hand " + std::to_string(i)));
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 7));
  }
  done = true;
  poster.join();
  const auto settled = [&] {
    const std::string body = get("/both");
    return !body.empty() && files_.read("both.c").find("\"" + body + "\"") != std::string::npos &&
           row_of("both.c").value("status", "") == "served";
  };
  EXPECT_TRUE(eventually(settled)) << get("/both") << "\n" << files_.read("both.c") << row_of("both.c");
}

/// Its onload fails until there is a file of this name.
std::string module_that_needs(const std::string& path) {
  return fill_in(R"(#include <cweb.h>
#include <unistd.h>

static void look(void) {
    if (access("@PATH@", F_OK) != 0) __builtin_trap();
}
static int fine(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "here");
    return 0;
}

export module_t config = {
    .name = "needy", .routes = {{"/needy", "GET", fine, NONE}}, .size = 1, .onload = look,
};
)",
                 {{"PATH", path}});
}

TEST_F(ModulesWatchTest, a_text_that_failed_for_want_of_something_else_is_tried_again_when_it_is_saved_again) {
  const std::string source = module_that_needs(files_.path("needed"));
  files_.write("needy.c", source);
  ASSERT_TRUE(fails("needy.c", "onload"));
  files_.write("needed", "");
  files_.write("needy.c", source);
  EXPECT_TRUE(becomes("/needy", "here"));
  EXPECT_EQ(row_of("needy.c")["status"], "served");
}

TEST_F(ModulesWatchTest, a_file_that_is_given_other_rights_is_looked_at_again) {
  files_.write("needy.c", module_that_needs(files_.path("needed")));
  ASSERT_TRUE(fails("needy.c", "onload"));
  files_.write("needed", "");
  fs::permissions(files_.path("needy.c"), fs::perms::owner_read);
  EXPECT_TRUE(becomes("/needy", "here"));
}

/// A module that says when it is loaded, and goes on when the test lets it.
std::string waiting_module(const std::string& name) {
  return fill_in(R"(#include <cweb.h>
#include <unistd.h>

static void wait_at_gate(void) {
    char byte;
    if (write(@EVENTS@, "@NAME@\n", sizeof "@NAME@\n" - 1) < 0 || read(@GATE@, &byte, 1) < 0) return;
}
static int fine(struct http_request *req, struct http_response *res) { return 0; }

export module_t config = {
    .name = "@NAME@", .routes = {{"/@NAME@", "GET", fine, NONE}}, .size = 1, .onload = wait_at_gate,
};
)",
                 {{"EVENTS", std::to_string(events_fd)}, {"GATE", std::to_string(gate_fd)}, {"NAME", name}});
}

TEST_F(ModulesWatchTest, who_ends_the_server_waits_for_the_deploy_under_way_and_for_no_other) {
  constexpr size_t count = 6;
  // All at once: what is hidden is not looked at.
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "m" + std::to_string(i);
    files_.write("." + name + ".c", waiting_module(name));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "m" + std::to_string(i) + ".c";
    fs::rename(files_.path("." + name), files_.path(name));
  }
  const std::string first = server_.next_event();
  ASSERT_THAT(first, HasSubstr("m"));
  server_.terminate();
  ASSERT_TRUE(eventually([&] { return server_.log().find("shutting down") != std::string::npos; }));
  server_.open_gate(count);
  EXPECT_TRUE(server_.stop());
  EXPECT_THAT(server_.remaining_events(), testing::SizeIs(testing::Le(1U)));
}

TEST_F(ModulesWatchTest, in_production_nothing_is_picked_up) {
  const TemporaryDirectory files;
  const TemporaryDirectory keys;
  keys.write("key", "0123456789abcdef0123456789abcdef\n");
  ServerProcess server(
      {"--modules", files.path(), "--production", "--plain-http", "--admin-key-file", keys.path("key")});
  files.write("edited.c", answering_module("edited", "/edited", "here"));
  // Long after the other server, started the same way but for this, has picked it up.
  files_.write("edited.c", answering_module("edited", "/edited", "here"));
  ASSERT_TRUE(becomes("/edited", "here"));
  EXPECT_EQ(HttpClient(server.port()).get("/edited").status, 404);
}

}  // namespace
}  // namespace cweb::e2e
