// The parent alone: the children are this very program, which does what the first argument says instead of testing.
#include "supervisor/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "supervisor/child.h"

namespace cweb::supervisor {
namespace {

using testing::ExitedWithCode;

void die_in(Child& child, std::string_view module) {
  [[maybe_unused]] const ssize_t written = write(child.crash_note_fd(), module.data(), module.size());
  abort();
}

/// As after SIGTERM, with this code.
[[noreturn]] void end_well(Child& child, int exit_code) {
  child.say_ready();
  child.say_ending();
  _exit(exit_code);
}

/// How many children were there before this one? In the memory that outlives them.
int count_starts(Child& child) {
  const auto journals = child.take_journals();
  struct stat status{};
  fstat(journals[0].get(), &status);
  if (pwrite(journals[0].get(), "s", 1, status.st_size) != 1) _exit(8);
  return static_cast<int>(status.st_size);
}

/// Becomes ready once, and from then on kills each new process as `module`, told how many starts have failed, says.
template <class Module>
void die_when_restarted(Child& child, Module module) {
  const int start = count_starts(child);
  if (start == 0) {
    child.say_ready();
    raise(SIGKILL);
  }
  const std::string name = module(start - 1);
  if (name == "well") end_well(child, 0);
  if (name.empty()) raise(SIGKILL);
  die_in(child, name);
}

[[noreturn]] void be_child(std::string_view what) {
  auto adopted = Child::adopt();
  if (!adopted || !*adopted) _exit(3);
  Child& child = **adopted;
  if (what == "die") raise(SIGKILL);
  if (what == "exit 7") _exit(7);
  if (what == "die once") {
    if (child.is_restart()) end_well(child, child.died_in() == "counter" ? 0 : 1);
    child.say_ready();
    die_in(child, "counter");
  }
  if (what == "exit when restarted") {
    if (child.is_restart()) _exit(2);
    child.say_ready();
    raise(SIGKILL);  // which no sanitizer turns into an exit code
  }
  if (what == "exit without a word") {
    if (child.is_restart()) end_well(child, 0);
    child.say_ready();
    _exit(0);
  }
  if (what == "three that kill") {
    die_when_restarted(child, [&](int failed) -> std::string {
      if (child.follows_failed_start() != (failed > 0)) _exit(9);
      if (failed == 0) return "";
      return failed <= 6 ? std::string(1, static_cast<char>('a' + (failed - 1) / 2)) : "well";
    });
  }
  if (what == "one for ever") die_when_restarted(child, [](int) { return "always"; });
  if (what == "die before it is noted") {
    switch (count_starts(child)) {
      case 0:
        child.say_ready();
        die_in(child, "counter");
        break;
      case 1:
        _exit(2);  // without memory for a journal, say
      case 2:
        if (child.died_in() != "counter") _exit(0);
        child.say_noted();
        raise(SIGKILL);
        break;
      default:
        end_well(child, child.died_in().empty() ? 0 : 1);
    }
  }
  if (what == "die while ending") {
    child.say_ready();
    child.say_ending();
    raise(SIGKILL);
  }
  if (what == "wait") {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    child.say_ready();
    int number = 0;
    sigwait(&set, &number);
    _exit(getenv(setup_variable) == nullptr ? 0 : 4);
  }
  if (what == "key") {
    if (child.take_admin_key() != "the key" || child.take_read_key() != "another key") _exit(5);
    if (!child.key_was_made()) _exit(8);
    if (child.is_restart()) end_well(child, 0);
    child.say_ready();
    raise(SIGKILL);
  }
  _exit(6);
}

__attribute__((constructor)) void become_child(int, char** arguments, char**) {
  if (getenv(setup_variable) != nullptr) be_child(arguments[1]);
}

/// What the parent of such children returns. In a process of its own: run() takes over signals and children.
[[noreturn]] void supervise(const char* what, std::optional<std::string> key = std::nullopt) {
  std::string name = "test", argument = what;
  char* arguments[] = {name.data(), argument.data(), nullptr};
  std::optional<std::string> read_key;
  if (key) read_key = "another key";
  auto supervisor = Supervisor::create({.arguments = arguments,
                                        .listeners = {},
                                        .admin_key = std::move(key),
                                        .read_key = std::move(read_key),
                                        .key_was_made = true,
                                        .ready_fd = -1,
                                        .service_manager = {}});
  if (!supervisor) _exit(100);
  _exit((*supervisor)->run());
}

TEST(SupervisorTest, a_child_that_never_becomes_ready_is_given_up_after_five_times) {
  EXPECT_EXIT(supervise("die"), ExitedWithCode(1),
              "died of SIGKILL before it was ready(.|\n)*5 times in a row.*giving up");
}

TEST(SupervisorTest, the_first_child_s_own_exit_is_the_parent_s) {
  EXPECT_EXIT(supervise("exit 7"), ExitedWithCode(7), "^$");
}

TEST(SupervisorTest, a_child_that_dies_is_followed_by_one_that_knows_in_which_module) {
  EXPECT_EXIT(supervise("die once"), ExitedWithCode(0),
              "the server process [0-9]+ died of SIGABRT during a call of module counter; a new one is started");
}

TEST(SupervisorTest, what_keeps_a_later_child_from_starting_may_pass_so_it_is_tried_again) {
  EXPECT_EXIT(supervise("exit when restarted"), ExitedWithCode(1), "exit code 2 before it was ready(.|\n)*giving up");
}

TEST(SupervisorTest, once_it_was_ready_a_child_that_leaves_without_a_word_is_replaced) {
  EXPECT_EXIT(supervise("exit without a word"), ExitedWithCode(0), "ended with exit code 0; a new one is started");
}

TEST(SupervisorTest, several_modules_that_kill_each_new_process_are_found_and_it_is_not_given_up) {
  EXPECT_EXIT(
      supervise("three that kill"), ExitedWithCode(0),
      "SIGKILL before it was ready(.|\n)*(module a before(.|\n)*){2}(module b before(.|\n)*){2}module c before");
}

TEST(SupervisorTest, a_module_that_is_named_for_ever_is_given_up_in_the_end) {
  EXPECT_EXIT(supervise("one for ever"), ExitedWithCode(1), "call of module always before(.|\n)*giving up");
}

TEST(SupervisorTest, a_death_is_told_to_each_child_until_one_has_noted_it) {
  EXPECT_EXIT(supervise("die before it is noted"), ExitedWithCode(0),
              "call of module counter; (.|\n)*exit code 2 before(.|\n)*SIGKILL before it was ready");
}

TEST(SupervisorTest, a_child_that_was_asked_to_end_by_another_is_not_replaced_when_it_dies) {
  EXPECT_EXIT(supervise("die while ending"), ExitedWithCode(128 + SIGKILL), "^$");
}

TEST(SupervisorTest, sigterm_is_passed_on_and_its_exit_code_comes_back) {
  EXPECT_EXIT(
      {
        alarm(20);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        raise(SIGTERM);  // pending until the parent asks
        supervise("wait");
      },
      ExitedWithCode(0), "^$");
}

TEST(SupervisorTest, every_child_gets_both_keys) {
  EXPECT_EXIT(supervise("key", "the key"), ExitedWithCode(0), "died of SIGKILL; a new one");
}

TEST(SupervisorTest, a_process_without_such_a_parent_is_nobody_s_child) {
  const auto child = Child::adopt();
  ASSERT_TRUE(child);
  EXPECT_FALSE(*child);
  setenv(setup_variable, "1", 1);
  EXPECT_FALSE(Child::adopt());
  EXPECT_EQ(getenv(setup_variable), nullptr);
}

}  // namespace
}  // namespace cweb::supervisor
