// The deployer with a directory to keep modules in: what is on the disk when, and what becomes of a deploy when that
// fails.
#include "mgnt/module_keeper.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "fake_toolchain.h"
#include "mgnt/deployer.h"
#include "runtime/runtime.h"
#include "store/digest.h"
#include "temporary_directory.h"
#include "told.h"
#include "unit/failing_calls.h"

namespace cweb::mgnt {
namespace {

using std::chrono_literals::operator""ms;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;
using Status = DeployReport::Status;

std::atomic<int> loads;
std::atomic<int> unloads;

class ModuleKeeperTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { log::set_up(); }
  void SetUp() override {
    loads = unloads = 0;
    start();
  }
  void TearDown() override { EXPECT_TRUE(runtime_->unload_all(10'000ms)); }
  /// A server's parts anew, on the same directory and with what the toolchain knows.
  void start() {
    if (runtime_) {
      EXPECT_TRUE(runtime_->unload_all(10'000ms));
    }
    deployer_.reset();
    keeper_.reset();
    runtime_ = std::move(*runtime::Runtime::create());
    keeper_ = std::move(*ModuleKeeper::open(files_.path(), Expected<std::string>("the fake compiler")));
    log_ = std::make_unique<EventLog>();
    deployer_ = std::make_unique<Deployer>(toolchain_, toolchain_, *runtime_,
                                           DeployerOptions{.keeper = keeper_.get(), .observer = log_.get()});
  }
  std::vector<Deployer::StartFile> start_from_files(const Deployer::StartOptions& options = {}) {
    start();
    std::vector<Deployer::StartFile> files;
    const auto names = keeper_->directory().files();
    EXPECT_TRUE(names);
    for (const std::string& name : *names) {
      files.push_back({.file = name, .source = keeper_->directory().read(name).value(), .report = {}});
    }
    deployer_->start_from_files(files, options);
    return files;
  }
  std::string source(FakeModule module, const std::string& remark = "") {
    std::string text = "module_t config = {.name = \"" + module.name + "\"}; /* " + remark + " */";
    toolchain_.know(text, std::move(module));
    return text;
  }
  FakeModule named(const std::string& name, const char* path) { return {.name = name, .routes = {{path, "GET"}}}; }
  DeployReport deploy(const std::string& text, const std::string& file = {}) {
    return deployer_->deploy({.code = text, .repaired = false, .file = file});
  }
  std::string live_source(const std::string& name) {
    const auto found = runtime_->registry().find(name);
    return found ? found->live->source : "";
  }

  TemporaryDirectory files_;
  FakeToolchain toolchain_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<ModuleKeeper> keeper_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<Deployer> deployer_;
};

TEST_F(ModuleKeeperTest, a_deploy_is_on_the_disk_under_the_module_s_name) {
  const std::string text = source({});
  ASSERT_EQ(deploy(text).status, Status::deployed);
  EXPECT_EQ(files_.read("counter.c"), text);
}

TEST_F(ModuleKeeperTest, a_deploy_that_fails_leaves_the_disk_alone) {
  const std::string good = source({});
  deploy(good);
  FakeModule broken;
  broken.compile_failure = jit::CompileFailure{.rendered = "no\n", .diagnostics = {{}}};
  EXPECT_EQ(deploy(source(broken, "broken")).http_status, 422);
  FakeModule unlinkable;
  unlinkable.link_failure = jit::LinkFailure{.rendered = "no\n", .diagnostics = {{}}};
  EXPECT_EQ(deploy(source(unlinkable, "unlinkable")).http_status, 422);
  EXPECT_EQ(files_.read("counter.c"), good);
  EXPECT_THAT(keeper_->history("counter"), SizeIs(1));
}

TEST_F(ModuleKeeperTest, on_a_full_disk_the_answer_is_507_and_what_ran_keeps_running) {
  const std::string first = source({}, "first");
  deploy(first);
  FakeModule module;
  module.onload = [] { ++loads; };
  const std::string second = source(module, "second");
  // Without a log line in the way: it is written as well.
  const scmp_arg_cmp no_log = SCMP_A0(SCMP_CMP_GT, 2);
  for (const FailingCall& call :
       {FailingCall{.number = SCMP_SYS(write), .error = ENOSPC, .when = {no_log, longer_than_a_probe}},
        FailingCall{.number = SCMP_SYS(fsync), .error = ENOSPC}}) {
    with_failing(call, [&] {
      const DeployReport report = deploy(second);
      EXPECT_EQ(report.http_status, 507);
      EXPECT_EQ(report.stage, "keep");
      EXPECT_THAT(report.message, HasSubstr("counter.c: No space left on device"));
      EXPECT_THAT(report.keeps_serving, StartsWith("counter, version 1"));
    });
  }
  EXPECT_EQ(loads, 0) << "space is looked for before code of the module runs";
  EXPECT_EQ(live_source("counter"), first);
  EXPECT_EQ(files_.read("counter.c"), first);
  EXPECT_EQ(deploy(second).status, Status::deployed) << "with room again it goes on";
}

TEST_F(ModuleKeeperTest, a_directory_that_cannot_be_written_is_a_500_that_says_so) {
  const std::string first = source({}, "first");
  deploy(first);
  with_failing({.number = SCMP_SYS(openat), .error = EROFS, .when = {SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT)}},
               [&] {
                 const DeployReport report = deploy(source({}, "second"));
                 EXPECT_EQ(report.http_status, 500);
                 EXPECT_THAT(report.message, HasSubstr("Read-only file system"));
               });
  EXPECT_EQ(live_source("counter"), first);
}

TEST_F(ModuleKeeperTest, when_the_last_step_on_the_disk_fails_onload_is_taken_back_by_unload) {
  const std::string first = source({}, "first");
  deploy(first);
  FakeModule module;
  module.onload = [] { ++loads; };
  module.unload = [] { ++unloads; };
  const auto directory = static_cast<scmp_datum_t>(keeper_->directory().fd());
  with_failing({.number = SCMP_SYS(fsync), .error = EIO, .when = {SCMP_A0(SCMP_CMP_EQ, directory)}},
               [&] { EXPECT_EQ(deploy(source(module, "second")).http_status, 500); });
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(unloads, 1);
  EXPECT_EQ(live_source("counter"), first);
  EXPECT_EQ(files_.read("counter.c"), first);
  EXPECT_THAT(keeper_->history("counter"), SizeIs(1));
}

TEST_F(ModuleKeeperTest, a_file_that_was_changed_by_hand_is_a_409_and_stays) {
  const std::string first = source({}, "first");
  deploy(first);
  files_.write("counter.c", "by hand");
  const DeployReport report = deploy(source({}, "second"));
  EXPECT_EQ(report.http_status, 409);
  EXPECT_THAT(report.message, HasSubstr("was changed by somebody else"));
  EXPECT_EQ(deployer_->remove("counter").failure.http_status, 409);
  EXPECT_EQ(deploy(first).http_status, 409) << "unchanged would say that it is kept";
  EXPECT_EQ(files_.read("counter.c"), "by hand");
  EXPECT_EQ(live_source("counter"), first);
}

TEST_F(ModuleKeeperTest, a_module_that_was_deployed_again_does_not_go_with_the_file_that_it_was_served_from) {
  using Result = Deployer::Removal::Result;
  files_.write("hello.c", source({}, "first"));
  start_from_files();
  std::filesystem::remove(files_.path("hello.c"));
  ASSERT_EQ(deployer_->remove("counter").result, Result::removed);
  const std::string again = source({}, "again");
  ASSERT_EQ(deploy(again).status, Status::deployed);
  // Whoever saw the file go comes too late.
  EXPECT_EQ(deployer_->remove_with_file("counter", "hello.c").result, Result::no_such_module);
  EXPECT_EQ(live_source("counter"), again);
  EXPECT_EQ(files_.read("counter.c"), again);
  std::filesystem::remove(files_.path("counter.c"));
  EXPECT_EQ(deployer_->remove_with_file("counter", "counter.c").result, Result::removed);
  EXPECT_EQ(live_source("counter"), "");
}

TEST_F(ModuleKeeperTest, a_module_that_was_deployed_again_does_not_go_when_its_old_file_holds_another) {
  using Result = Deployer::Removal::Result;
  deploy(source({}));
  const std::string other = source(named("other", "/other"));
  files_.write("counter.c", other);
  ASSERT_EQ(deploy(other, "counter.c").status, Status::deployed);
  const std::string again = source({}, "again");
  ASSERT_EQ(deploy(again).status, Status::deployed);
  EXPECT_EQ(deployer_->remove_without_file("counter").result, Result::no_such_module);
  EXPECT_EQ(live_source("counter"), again);
  EXPECT_EQ(files_.read("counter%2.c"), again);
}

TEST_F(ModuleKeeperTest, unchanged_puts_a_file_back_that_somebody_removed) {
  const std::string text = source({});
  deploy(text);
  std::filesystem::remove(files_.path("counter.c"));
  EXPECT_EQ(deploy(text).status, Status::unchanged);
  EXPECT_EQ(files_.read("counter.c"), text);
}

TEST_F(ModuleKeeperTest, a_module_from_a_file_of_another_name_is_written_back_to_it) {
  files_.write("hello.c", source({}, "first"));
  start_from_files();
  const std::string second = source({}, "second");
  ASSERT_EQ(deploy(second).status, Status::deployed);
  EXPECT_EQ(files_.read("hello.c"), second);
  EXPECT_FALSE(files_.has("counter.c"));
  EXPECT_EQ(deployer_->remove("counter").result, Deployer::Removal::Result::removed);
  EXPECT_FALSE(files_.has("hello.c"));
}

TEST_F(ModuleKeeperTest, a_name_that_another_module_s_file_has_gets_another_file) {
  const std::string theirs = source(named("greeting", "/greeting"));
  files_.write("hello.c", theirs);
  start_from_files();
  ASSERT_EQ(deploy(source(named("hello", "/hello"))).status, Status::deployed);
  EXPECT_EQ(files_.read("hello.c"), theirs);
  EXPECT_TRUE(files_.has("hello%2.c"));
  start_from_files();
  EXPECT_NE(live_source("hello"), "");
  EXPECT_EQ(live_source("greeting"), theirs);
}

TEST_F(ModuleKeeperTest, a_start_links_what_is_cached_and_goes_on_counting_versions) {
  deploy(source({}, "first"));
  const std::string second = source({}, "second");
  deploy(second);
  const int compiles = toolchain_.compiles();
  start_from_files();
  EXPECT_EQ(toolchain_.compiles(), compiles);
  EXPECT_EQ(live_source("counter"), second);
  EXPECT_EQ(runtime_->registry().find("counter")->live->number, 2U);
  EXPECT_EQ(deploy(source({}, "third")).module->version, 3U);
  EXPECT_THAT(told(*log_), testing::ElementsAre("counter, version 2, is deployed", "counter, version 3, is deployed"));
}

TEST_F(ModuleKeeperTest, a_damaged_cache_entry_is_compiled_anew) {
  deploy(source({}));
  const int compiles = toolchain_.compiles();
  for (const std::string& file : files_.files()) {
    if (file.starts_with(".cache/")) files_.write(file, "x" + files_.read(file));
  }
  start_from_files();
  EXPECT_EQ(toolchain_.compiles(), compiles + 1);
  EXPECT_NE(live_source("counter"), "");
}

TEST_F(ModuleKeeperTest, the_cache_holds_what_is_served_and_no_more) {
  for (int i = 0; i < 5; ++i) deploy(source({}, std::to_string(i)));
  const auto entries = [&] {
    const auto names = files_.files();
    return std::count_if(names.begin(), names.end(), [](const auto& name) { return name.starts_with(".cache/"); });
  };
  EXPECT_EQ(entries(), 1);
  deployer_->remove("counter");
  EXPECT_EQ(entries(), 0);
}

TEST_F(ModuleKeeperTest, a_file_that_does_not_compile_is_reported_and_the_rest_serves) {
  FakeModule broken = named("broken", "/broken");
  broken.compile_failure = jit::CompileFailure{.rendered = "module.c:1:1: error: no\n", .diagnostics = {{}}};
  const std::string text = source(broken);
  files_.write("broken.c", text);
  files_.write("counter.c", source({}));
  const auto files = start_from_files();
  EXPECT_EQ(files[0].report.http_status, 422);
  EXPECT_EQ(files[0].report.stage, "compile");
  EXPECT_EQ(files[1].report.status, Status::deployed);
  EXPECT_EQ(files_.read("broken.c"), text);
}

TEST_F(ModuleKeeperTest, of_two_files_with_one_module_or_route_the_first_serves) {
  files_.write("a.c", source({}, "a"));
  files_.write("b.c", source({}, "b"));
  files_.write("c.c", source(named("other", "/counter")));
  const auto files = start_from_files();
  EXPECT_EQ(files[0].report.status, Status::deployed);
  EXPECT_EQ(files[1].report.http_status, 409);
  EXPECT_THAT(files[1].report.message, HasSubstr("is served from a.c"));
  EXPECT_EQ(files[2].report.http_status, 409);
  EXPECT_THAT(files[2].report.message, HasSubstr("belongs to module counter"));
}

TEST_F(ModuleKeeperTest, a_copy_beside_a_module_s_file_does_not_take_its_place_at_a_start) {
  const std::string old = source({}, "old");
  deploy(old);
  const std::string live = source({}, "live");
  deploy(live);
  files_.write("counter copy.c", live);
  files_.write("counter-old.c", old);
  for (int round = 0; round < 2; ++round) {
    const auto files = start_from_files();
    EXPECT_EQ(live_source("counter"), live);
    EXPECT_EQ(keeper_->file_of("counter"), "counter.c");
    for (const auto& file : files) {
      if (file.file != "counter-old.c") continue;
      EXPECT_EQ(file.report.http_status, 409) << file.report.message;
    }
    EXPECT_EQ(keeper_->history("counter").front().hash, store::sha256_hex(live));
    std::filesystem::remove(files_.path("counter copy.c"));
  }
  const std::string edited = source({}, "edited");
  files_.write("counter.c", edited);
  start_from_files();
  EXPECT_EQ(live_source("counter"), edited);
}

TEST_F(ModuleKeeperTest, a_copy_with_another_name_does_not_take_the_route_of_what_was_deployed) {
  const std::string live = source({}, "live");
  deploy(live);
  files_.write("a.c", source(named("another", "/counter")));
  EXPECT_EQ(start_from_files()[0].report.http_status, 409);
  EXPECT_EQ(live_source("counter"), live);
}

TEST_F(ModuleKeeperTest, where_the_first_file_of_a_module_fails_the_next_one_serves) {
  FakeModule conflicting;
  conflicting.routes = {{"/taken", "GET"}};
  files_.write("above.c", source(named("above", "/taken")));
  files_.write("counter.c", source(conflicting, "conflicting"));
  const std::string good = source({}, "good");
  files_.write("e.c", good);
  files_.write("f.c", source({}, "spare"));
  const auto files = start_from_files();
  EXPECT_EQ(files[1].report.stage, "routes");
  EXPECT_EQ(files[2].report.status, Status::deployed);
  EXPECT_THAT(files[3].report.message, HasSubstr("is served from e.c"));
  EXPECT_EQ(live_source("counter"), good);
}

TEST_F(ModuleKeeperTest, while_a_start_runs_code_of_a_file_the_crash_note_tells_which) {
  static std::string noted;
  static int note;
  note = memfd_create("note", MFD_CLOEXEC);
  noted.clear();
  FakeModule noting;
  noting.onload = [] {
    std::array<char, 256> text{};
    const ssize_t count = pread(note, text.data(), text.size(), 0);
    noted.assign(text.data(), static_cast<size_t>(std::max<ssize_t>(count, 0)));
  };
  // The name is not to be seen in this text.
  const std::string unnamed = "module_t config = NAMED_ELSEWHERE;";
  toolchain_.know(unnamed, noting);
  files_.write("a.c", unnamed);
  const Deployer::StartOptions options{.one_at_a_time = true, .crash_note = note};
  start_from_files(options);
  EXPECT_EQ(noted, "counter");
  EXPECT_NE(live_source("counter"), "");

  // A version that runs is not to blame for what the file holds now.
  std::vector<Deployer::StartFile> files = {{.file = "a.c", .source = source(noting, "edited")}};
  files_.write("a.c", files[0].source);
  deployer_->start_from_files(files, options);
  EXPECT_EQ(files[0].report.status, Status::deployed) << files[0].report.message;
  EXPECT_EQ(noted, "a.c");
  std::array<char, 1> left;
  EXPECT_EQ(pread(note, left.data(), left.size(), 0), 0) << "afterwards nobody is named";
  close(note);
}

TEST_F(ModuleKeeperTest, a_file_that_a_start_died_of_is_left_out_by_its_module_s_name_and_by_its_own) {
  const std::string unnamed = "module_t config = NAMED_ELSEWHERE;";
  toolchain_.know(unnamed, {});
  files_.write("a.c", unnamed);
  for (const char* const left_out : {"counter", "a.c"}) {
    const auto files = start_from_files({.left_out = left_out});
    EXPECT_EQ(files[0].report.stage, "start") << left_out;
    EXPECT_EQ(live_source("counter"), "") << left_out;
  }
}

TEST_F(ModuleKeeperTest, the_module_that_a_start_died_of_is_left_out_and_a_deploy_brings_it_back) {
  const std::string text = source({});
  files_.write("counter.c", text);
  const auto files = start_from_files({.left_out = "counter"});
  EXPECT_THAT(files[0].report.message, HasSubstr("left out"));
  EXPECT_EQ(live_source("counter"), "");
  EXPECT_EQ(deploy(text).status, Status::deployed);
}

TEST_F(ModuleKeeperTest, what_a_file_held_while_it_was_read_is_not_deployed_over_what_it_holds_now) {
  files_.write("counter.c", "newer");
  const DeployReport report = deploy(source({}), "counter.c");
  EXPECT_EQ(report.http_status, 409);
  EXPECT_THAT(report.message, HasSubstr("has changed while it was deployed"));
}

TEST_F(ModuleKeeperTest, what_was_written_by_hand_and_failed_is_in_the_history_when_a_deploy_replaces_it) {
  deploy(source({}, "first"));
  files_.write("counter.c", "broken by hand");
  keeper_->note_failed("counter.c", store::sha256_hex("broken by hand"), failed_report(422, "compile", "no"));
  const std::string second = source({}, "second");
  EXPECT_EQ(deploy(second).status, Status::deployed);
  EXPECT_EQ(files_.read("counter.c"), second);
  const auto history = keeper_->history("counter");
  ASSERT_THAT(history, SizeIs(3));
  EXPECT_EQ(keeper_->read_version("counter", history[1]).value(), "broken by hand");
  EXPECT_FALSE(history[1].was_live);
  EXPECT_TRUE(history[0].was_live);
}

TEST_F(ModuleKeeperTest, an_old_version_that_is_another_module_is_not_gone_back_to) {
  deploy(source({}));
  for (const bool is_live : {false, true}) {
    const std::string other = source(named("other", "/other"), is_live ? "live" : "not live");
    if (is_live) deploy(other);
    const DeployReport report = deployer_->deploy({.code = other, .repaired = false, .file = {}, .module = "counter"});
    EXPECT_EQ(report.http_status, 409);
    EXPECT_THAT(report.message, HasSubstr("holds module other, not counter"));
    EXPECT_EQ(live_source("other").empty(), !is_live);
  }
}

TEST_F(ModuleKeeperTest, a_removed_module_keeps_its_history_with_what_its_file_held_at_last) {
  deploy(source({}, "first"));
  files_.write("counter.c", "broken by hand");
  DeployReport failed = failed_report(422, "compile", "no");
  keeper_->note_failed("counter.c", store::sha256_hex("broken by hand"), failed);
  EXPECT_EQ(deployer_->remove("counter").result, Deployer::Removal::Result::removed);
  EXPECT_FALSE(files_.has("counter.c"));
  const auto history = keeper_->history("counter");
  ASSERT_THAT(history, SizeIs(2));
  EXPECT_EQ(keeper_->read_version("counter", history[0]).value(), "broken by hand");
}

}  // namespace
}  // namespace cweb::mgnt
