// Compile helpers: what they answer, what bounds them, and that they are replaced. The test program is its own helper.
#include <dirent.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "module_sources.h"

namespace cweb::jit {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Outcome = std::expected<Compilation, CompileFailure>;

std::unique_ptr<Compiler> start(const CompilerOptions& options = {}) {
  auto pool = start_compile_helpers(options);
  EXPECT_TRUE(pool.has_value()) << pool.error().message;
  return pool ? std::move(*pool) : nullptr;
}

std::string rendered(const Outcome& outcome) {
  return outcome ? "it compiled" : outcome.error().rendered;
}

/// Waits until the condition holds; the test's own time limit ends a wait for something that never comes.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

void wait_until_warm(const Compiler& pool, size_t helpers) {
  wait_until([&] { return pool.helper_pids().size() == helpers; });
}

/// A field of /proc/PID/status, "" when the process is gone.
std::string status_of(pid_t pid, const std::string& field) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return line.substr(field.size() + 1);
  }
  return "";
}

/// A process whose first thread is a zombie may have others that are still ending; its descriptors go with the last.
bool is_alive(pid_t pid) {
  const std::string state = status_of(pid, "State");
  if (state.empty()) return false;
  return state.find('Z') == std::string::npos || std::atoi(status_of(pid, "Threads").c_str()) > 1;
}

long processor_ticks(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);  // A process that ends meanwhile gives no line.
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return 0;
  // utime is the twelfth field behind the name.
  size_t at = end + 1;
  for (int i = 0; i < 12; ++i) at = text.find(' ', at) + 1;
  return std::atol(text.c_str() + at);
}

size_t count_descriptors() {
  size_t count = 0;
  DIR* const directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

/// Keeps a compiler busy for seconds: each definition doubles what the next one inlines.
std::string slow_source() {
  std::string lines = "static inline __attribute__((always_inline)) int f0(int a) { return a + 1; }\n";
  for (int i = 1; i < 30; ++i) {
    lines += fmt::format(
        "static inline __attribute__((always_inline)) int f{0}(int a) {{ return f{1}(a) ^ f{1}(a * 3 + {0}); }}\n", i,
        i - 1);
  }
  return module_with(lines + "int g(int a) { return f29(a); }");
}

/// `use` may name M10, which expands to 10^11 tokens.
std::string macro_bomb(const std::string& use) {
  std::string lines = "#define M0 x x x x x x x x x x\n#define SAME(a) a\n";
  for (int i = 1; i <= 10; ++i) {
    lines += fmt::format("#define M{0} M{1} M{1} M{1} M{1} M{1} M{1} M{1} M{1} M{1} M{1}\n", i, i - 1);
  }
  return lines + "int y = " + use + ";\n";
}

// ------------------------------------------------------------------------------------------------------- answers

TEST(HelperPool, a_module_compiled_in_a_helper_is_the_one_compiled_in_process) {
  const std::string source = module_with("int unused_result(void) { int unused; return undeclared_elsewhere; }\n");
  const std::string good =
      "#include <cweb.h>\nextern int there;\nstatic int f(struct http_request *a, struct http_response *b) {\n"
      "  int unused;\n  return there;\n}\n"
      "export module_t config = {.name = \"a\", .routes = {{\"/x\", \"GET\", f, NONE}}, .size = 1,\n"
      "  .websockets = {{\"/w\", NULL, NULL, NULL}}, .ws_size = 1};\n";
  const auto pool = start();
  const auto in_process = compile_in_process({});
  ASSERT_TRUE(in_process.has_value());

  const auto failed = pool->compile(source), failed_here = (*in_process)->compile(source);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().rendered, failed_here.error().rendered);
  EXPECT_EQ(failed.error().diagnostics.size(), failed_here.error().diagnostics.size());

  const auto made = pool->compile(good), made_here = (*in_process)->compile(good);
  ASSERT_TRUE(made.has_value()) << made.error().rendered;
  EXPECT_EQ(made->object, made_here->object);
  EXPECT_EQ(made->rendered, made_here->rendered);
  ASSERT_THAT(made->diagnostics, SizeIs(1));
  EXPECT_EQ(made->diagnostics[0].option, made_here->diagnostics[0].option);
  EXPECT_EQ(made->diagnostics[0].position.line, 4U);
  const ModuleFacts &facts = made->facts, &here = made_here->facts;
  EXPECT_EQ(facts.layout.size, here.layout.size);
  ASSERT_TRUE(facts.layout.routes.has_value());
  EXPECT_EQ(facts.layout.routes->element_size, here.layout.routes->element_size);
  EXPECT_EQ(facts.layout.route_handler.offset, here.layout.route_handler.offset);
  EXPECT_EQ(facts.layout.websocket_on_close.offset, here.layout.websocket_on_close.offset);
  ASSERT_THAT(facts.routes, SizeIs(1));
  EXPECT_EQ(facts.routes[0].handler_name, "f");
  EXPECT_EQ(facts.routes[0].handler, CallShape::documented);
  ASSERT_THAT(facts.websockets, SizeIs(1));
  ASSERT_THAT(facts.external_uses, SizeIs(1));
  EXPECT_EQ(facts.external_uses[0].name, "there");
  EXPECT_GT(made->timings.total_ms, 0);
}

TEST(HelperPool, invalid_utf8_in_a_source_comes_back_as_a_message) {
  const auto pool = start();
  EXPECT_THAT(rendered(pool->compile(module_with("int a\xff = 1;\nint b = c\xfe\xff;"))), HasSubstr("not valid UTF-8"));
}

TEST(HelperPool, a_large_source_goes_through) {
  const auto pool = start();
  const std::string filler = "/* " + std::string(size_t{3} << 20, 'x') + " */";
  const auto made = pool->compile(module_with(filler + "\nchar table[1 << 20] = {1};"));
  ASSERT_TRUE(made.has_value()) << made.error().rendered;
  EXPECT_GT(made->object.size(), size_t{1} << 20);
}

TEST(HelperPool, callers_work_side_by_side_and_wait_their_turn) {
  const auto pool = start();
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < 3; ++i) {
        const std::string name = fmt::format("f{}_{}", t, i);
        const auto made = pool->compile(module_with(fmt::format("int {}(void) {{ return 1; }}", name)));
        ASSERT_TRUE(made.has_value()) << made.error().rendered;
        EXPECT_THAT(made->object, HasSubstr(name));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(HelperPool, an_include_directory_that_is_missing_is_an_error_at_start) {
  CompilerOptions options;
  options.include_dirs = {"/nowhere/at/all"};
  const auto pool = start_compile_helpers(options);
  ASSERT_FALSE(pool.has_value());
  EXPECT_THAT(pool.error().message, HasSubstr("--include /nowhere/at/all"));
}

// ------------------------------------------------------------------------------------------------------- bounds

TEST(HelperPool, a_source_that_expands_without_end_reaches_the_memory_limit) {
  CompilerOptions options;
  options.limits.memory_bytes = size_t{256} << 20;
  options.limits.wall = std::chrono::milliseconds(60'000);
  options.limits.cpu = std::chrono::seconds(60);
  const auto pool = start(options);
  const auto outcome = pool->compile(macro_bomb("SAME(M10)"));
  EXPECT_EQ(
      rendered(outcome),
      "error: the compiler ran out of memory (limit 256 MiB): the source, or a macro in it, expands to too much\n");
  EXPECT_EQ(outcome.error().kind, CompileFailure::Kind::rejected);
  EXPECT_THAT(outcome.error().diagnostics, SizeIs(1));
  EXPECT_TRUE(pool->compile(module_with("")).has_value());
}

TEST(HelperPool, a_source_that_takes_for_ever_reaches_the_processor_limit) {
  CompilerOptions options;
  options.limits.cpu = std::chrono::seconds(1);
  options.limits.wall = std::chrono::milliseconds(60'000);
  const auto pool = start(options);
  EXPECT_THAT(rendered(pool->compile(slow_source())), HasSubstr("used more than 1 s of processor time"));
  EXPECT_TRUE(pool->compile(module_with("")).has_value());
}

TEST(HelperPool, a_source_that_takes_for_ever_reaches_the_wall_limit) {
  CompilerOptions options;
  options.limits.wall = std::chrono::milliseconds(500);
  options.limits.cpu = std::chrono::seconds(60);
  const auto pool = start(options);
  wait_until_warm(*pool, 2);
  EXPECT_THAT(rendered(pool->compile(slow_source())), HasSubstr("took longer than 0.5 s"));
}

TEST(HelperPool, a_source_that_nests_too_deeply_reaches_the_stack_limit) {
  const auto pool = start();
  std::string signs;
  for (int i = 0; i < 400'000; ++i) signs += "-~";
  const auto outcome = pool->compile(module_with("int f(int a) { return " + signs + "a; }"));
#ifdef CWEB_SANITIZED
  EXPECT_FALSE(outcome.has_value());
#else
  EXPECT_THAT(rendered(outcome), HasSubstr("ran out of stack"));
#endif
  EXPECT_TRUE(pool->compile(module_with("")).has_value());
}

TEST(HelperPool, a_helper_has_no_files_no_rights_and_no_descriptors_of_the_servers) {
  const int leaked = ::dup(STDOUT_FILENO);  // Not close-on-exec.
  const auto pool = start();
  const pid_t helper = pool->helper_pids().at(0);
  EXPECT_EQ(status_of(helper, "NoNewPrivs"), "\t1");
  EXPECT_EQ(status_of(helper, "Seccomp"), "\t2");
  size_t descriptors = 0;
  DIR* const directory = opendir(fmt::format("/proc/{}/fd", helper).c_str());
  ASSERT_NE(directory, nullptr);
  while (const dirent* entry = readdir(directory)) descriptors += entry->d_name[0] != '.';
  closedir(directory);
  EXPECT_EQ(descriptors, 4U);  // Standard input, output and error, and the socket.
  ::close(leaked);
}

// ------------------------------------------------------------------------------------------------- ends and starts

TEST(HelperPool, helpers_killed_while_idle_are_replaced) {
  const auto pool = start();
  wait_until_warm(*pool, 2);
  const std::vector<pid_t> before = pool->helper_pids();
  for (pid_t helper : before) ::kill(helper, SIGKILL);
  for (pid_t helper : before) wait_until([&] { return !is_alive(helper); });
  EXPECT_TRUE(pool->compile(module_with("")).has_value());
  wait_until_warm(*pool, 2);
  for (pid_t helper : pool->helper_pids()) EXPECT_THAT(before, ::testing::Not(::testing::Contains(helper)));
}

TEST(HelperPool, a_helper_killed_in_the_middle_of_a_compile_costs_nothing_but_time) {
  CompilerOptions options;
  options.limits.cpu = std::chrono::seconds(2);
  options.limits.wall = std::chrono::milliseconds(60'000);
  const auto pool = start(options);
  wait_until_warm(*pool, 2);
  std::vector<std::pair<pid_t, long>> idle;
  for (pid_t helper : pool->helper_pids()) idle.emplace_back(helper, processor_ticks(helper));
  auto outcome = std::async(std::launch::async, [&] { return pool->compile(slow_source()); });
  // The one that works is the one whose processor time grows.
  pid_t busy = -1;
  wait_until([&] {
    for (const auto& [helper, ticks] : idle) {
      if (processor_ticks(helper) > ticks + 10) busy = helper;
    }
    return busy > 0;
  });
  ::kill(busy, SIGKILL);
  // The other one took over, and came to its own end with that source.
  EXPECT_THAT(rendered(outcome.get()), HasSubstr("used more than 2 s of processor time"));
  EXPECT_TRUE(pool->compile(module_with("")).has_value());
}

TEST(HelperPool, a_compile_whose_helpers_are_killed_twice_is_unavailable) {
  CompilerOptions options;
  options.limits.cpu = std::chrono::seconds(60);
  options.limits.wall = std::chrono::milliseconds(60'000);
  const auto pool = start(options);
  wait_until_warm(*pool, 2);
  std::set<pid_t> idle;
  for (pid_t helper : pool->helper_pids()) idle.insert(helper);
  std::atomic<bool> is_done = false;
  auto outcome = std::async(std::launch::async, [&] {
    auto result = pool->compile(slow_source());
    is_done = true;
    return result;
  });
  std::vector<std::pair<pid_t, long>> known;
  while (!is_done) {
    for (pid_t helper : pool->helper_pids()) {
      const auto entry =
          std::find_if(known.begin(), known.end(), [=](const auto& each) { return each.first == helper; });
      if (entry == known.end()) {
        known.emplace_back(helper, processor_ticks(helper));
      } else if (processor_ticks(helper) > entry->second + 10) {
        ::kill(helper, SIGKILL);
      }
    }
  }
  const auto result = outcome.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, CompileFailure::Kind::unavailable);
  EXPECT_THAT(result.error().rendered, HasSubstr("the compiler process was killed"));
}

TEST(HelperPool, the_pool_leaves_no_process_and_no_descriptor_behind) {
  const size_t descriptors = count_descriptors();
  {
    const auto pool = start();
    wait_until_warm(*pool, 2);
    ::kill(pool->helper_pids().at(0), SIGKILL);
    EXPECT_TRUE(pool->compile(module_with("")).has_value());
    wait_until_warm(*pool, 2);
  }
  EXPECT_EQ(count_descriptors(), descriptors);
  errno = 0;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(HelperPool, interrupting_the_terminal_leaves_helpers_alone) {
  const auto pool = start();
  wait_until_warm(*pool, 2);
  const std::vector<pid_t> before = pool->helper_pids();
  for (pid_t helper : before) {
    ::kill(helper, SIGINT);
    ::kill(helper, SIGTERM);
  }
  EXPECT_TRUE(pool->compile(module_with("")).has_value());
  EXPECT_EQ(pool->helper_pids(), before);
}

}  // namespace
}  // namespace cweb::jit

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "compile-helper") == 0) {
    return cweb::jit::compile_helper_main(std::atoi(argv[3]));
  }
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
