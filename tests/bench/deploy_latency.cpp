// How long a deploy takes: variants of modules/counter.c posted over one kept-alive connection, beside building the
// same text as a shared library with gcc and tcc and loading it, in turn.
#include <dlfcn.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "deploying.h"
#include "measuring.h"
#include "server_process.h"

/// What the counter calls of the server: a library of it that is loaded here finds it in this program.
extern "C" __attribute__((visibility("default"))) int map_insert(void*, const char*, void*) {
  return 0;
}

namespace {

using cweb::bench::Series;

constexpr int rounds = 60;
/// The first deploys of each helper fill caches that a server in use has full.
constexpr int warm_up_rounds = 10;

/// The counter with another text in its answer: every variant is compiled anew.
std::string variant(const std::string& counter, int number) {
  std::string source = counter;
  const size_t text = source.find("\"count %lu");
  if (text != std::string::npos) source.insert(text + 1, "variant " + std::to_string(number) + ": ");
  return source;
}

struct Deploys {
  Series answered, total, compile, hop, link;

  bool measure(cweb::e2e::HttpClient& client, const std::string& source) {
    const cweb::e2e::DeployAnswer answer = cweb::e2e::deploy(client, source);
    if (!answer.deployed()) {
      std::fprintf(stderr, "a deploy failed: %ld %s\n", answer.status, answer.text.c_str());
      return false;
    }
    const auto& timings = answer.report["timings_ms"];
    answered.add(answer.elapsed_ms);
    total.add(timings["total"]);
    compile.add(timings["compile"]);
    hop.add(timings["hop"]);
    link.add(timings["link"]);
    return true;
  }
};

/// What people do without cweb: a compiler as a program, a file, dlopen.
class SharedLibrary {
 public:
  SharedLibrary(std::vector<std::string> compiler, std::filesystem::path directory)
      : compiler_(std::move(compiler)), directory_(std::move(directory)) {}

  Series build_and_load;

  bool measure(const std::string& source, int number) {
    const std::string base = directory_ / (compiler_[0] + std::to_string(number));
    std::ofstream(base + ".c") << source;
    std::vector<std::string> command = compiler_;
    command.insert(command.end(), {"-o", base + ".so", base + ".c"});
    const cweb::Stopwatch watch;
    if (cweb::bench::run_quietly(command) != 0) {
      std::fprintf(stderr, "%s does not compile the counter\n", compiler_[0].c_str());
      return false;
    }
    void* library = dlopen((base + ".so").c_str(), RTLD_LAZY | RTLD_LOCAL);
    const bool found = library != nullptr && dlsym(library, "config") != nullptr;
    build_and_load.add(watch.elapsed_ms());
    if (!found) std::fprintf(stderr, "%s: %s\n", compiler_[0].c_str(), dlerror());
    if (library != nullptr) dlclose(library);
    return found;
  }

 private:
  const std::vector<std::string> compiler_;
  const std::filesystem::path directory_;
};

void print_row(const char* name, const Series& series) {
  std::printf("  %-34s %8.2f %8.2f %8.2f\n", name, series.median(), series.percentile(0.95), series.maximum());
}

}  // namespace

int main() {
  char directory[] = "/tmp/cweb-bench-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  const std::string include = "-I" + cweb::e2e::project_file("include");
  SharedLibrary gcc({"gcc", "-O2", "-shared", "-fPIC", include}, directory);
  // tcc has no _Atomic, so the counter counts without it, and cannot read the array parameters of <regex.h>.
  SharedLibrary tcc({"tcc", "-shared", "-fPIC", "-D_Atomic=", "-D__STDC_NO_VLA__", include}, directory);
  const bool has_gcc = cweb::bench::is_installed("gcc");
  const bool has_tcc = cweb::bench::is_installed("tcc");

  bool good = true;
  Deploys deploys;
  {
    cweb::e2e::ServerProcess server;
    cweb::e2e::HttpClient client(server.port());
    const std::string counter = cweb::e2e::read_project_file("modules/counter.c");
    for (int i = 0; i < warm_up_rounds && good; ++i) good = Deploys().measure(client, variant(counter, -i - 1));
    for (int i = 0; i < rounds && good; ++i) {
      const std::string source = variant(counter, i);
      good = deploys.measure(client, source);
      if (has_gcc) good &= gcc.measure(source, i);
      if (has_tcc) good &= tcc.measure(source, i);
    }
  }
  std::filesystem::remove_all(directory);

  std::printf("deploy of counter.c, %d rounds in turn, ms (%s)\n", rounds, cweb::bench::machine().c_str());
  std::printf("  %-34s %8s %8s %8s\n", "", "median", "p95", "max");
  print_row("POST /mgnt until its answer", deploys.answered);
  print_row("  of it in the server", deploys.total);
  print_row("    compile", deploys.compile);
  print_row("    hop to the helper and back", deploys.hop);
  print_row("    link", deploys.link);
  if (has_gcc) print_row("gcc -O2 -shared, dlopen", gcc.build_and_load);
  if (has_tcc) print_row("tcc -shared, dlopen", tcc.build_and_load);
  const double deploy_ms = deploys.answered.median();
  if (has_gcc && deploy_ms > 0)
    std::printf("  gcc takes %.1f times as long\n", gcc.build_and_load.median() / deploy_ms);
  if (has_tcc && deploy_ms > 0)
    std::printf("  tcc takes %.2f times as long\n", tcc.build_and_load.median() / deploy_ms);
  return good ? 0 : 1;
}
