// How long deploys take: variants of a module posted over one kept-alive connection, beside building the same text as a
// shared library with gcc and tcc and loading it, in turn. Prints each measurement as a line of JSON; bench.py makes a
// table of them.
//
// deploy_latency [ROUNDS [STARTS]]
#include <dlfcn.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "measuring.h"
#include "process_facts.h"
#include "raw_client.h"
#include "server_process.h"

/// What modules call of the server: a library of one that is loaded here finds it in this program.
extern "C" __attribute__((visibility("default"))) int map_insert(void*, const char*, void*) {
  return 0;
}

namespace {

using cweb::bench::Cost;
using nlohmann::json;

constexpr int default_rounds = 40;
constexpr int default_starts = 5;
/// The first deploys of each helper fill caches that a server in use has full.
constexpr int warm_up_rounds = 10;

struct Module {
  const char* name;
  std::string source;

  /// Differs from all others, so that nobody can know the answer already.
  std::string variant(int number) const { return source + "\nconst int variant = " + std::to_string(number) + ";\n"; }
};

/// Without the first semicolon behind a return, as hands that are in a hurry leave it out.
std::string without_semicolon(std::string source) {
  const std::string statement = "return 0;";
  if (const size_t at = source.find(statement); at != std::string::npos) source.erase(at + statement.size() - 1, 1);
  return source;
}

void print_sample(const char* series, const std::string& module, const std::string& way, const Cost& cost,
                  const json& stages = {}) {
  json sample{{"series", series}, {"module", module}, {"way", way}, {"wall_ms", cost.wall_ms}, {"cpu_ms", cost.cpu_ms}};
  if (stages.is_object()) sample["stages"] = stages;
  std::puts(sample.dump().c_str());
}

/// A server, its helpers, and a client that stays connected.
class Deploying {
 public:
  Deploying() : client_(server_.port()) {}

  /// From the first byte of the POST to the last of an answer of this status.
  bool measure(const char* series, const std::string& module, const std::string& source, int expected_status) {
    finish_sample();
    const std::string request =
        cweb::e2e::request_with_body("POST", "/mgnt", source, "Content-Type: text/x-c\r\nAccept: application/json\r\n");
    const double cpu_before_ms = cpu_ms();
    const cweb::Stopwatch watch;
    const cweb::e2e::RawResponse answer = client_.exchange(request);
    pending_ = Pending{series, module, {watch.elapsed_ms(), cpu_before_ms}, {}};
    if (answer.status != expected_status) {
      std::fprintf(stderr, "a deploy was answered with %d: %s\n", answer.status, answer.body.c_str());
      pending_.reset();
      return false;
    }
    const json report = json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    if (report.is_object()) pending_->stages = report.value("timings_ms", json());
    return true;
  }

  /// Retiring the old version and making ready for the next source go on behind the answer. Call this, or measure(),
  /// when there was time for it: the processor time of the last deploy is what was used until now.
  void finish_sample() {
    if (!pending_) return;
    pending_->cost.cpu_ms = cpu_ms() - pending_->cost.cpu_ms;
    print_sample(pending_->series, pending_->module, "cweb", pending_->cost, pending_->stages);
    pending_.reset();
  }

 private:
  struct Pending {
    const char* series;
    std::string module;
    Cost cost;  ///< cpu_ms: of the processes when the deploy began
    json stages;
  };

  double cpu_ms() const {
    double all = cweb::bench::cpu_ms_of(server_.pid());
    for (const pid_t helper : cweb::e2e::children_of(server_.pid())) all += cweb::bench::cpu_ms_of(helper);
    return all;
  }

  cweb::e2e::ServerProcess server_;
  cweb::e2e::RawClient client_;
  std::optional<Pending> pending_;
};

/// What people do without cweb: a compiler as a program, a file, dlopen.
class SharedLibraries {
 public:
  SharedLibraries(const std::string& name, std::vector<std::string> compiler, std::filesystem::path directory)
      : name_(name), compiler_(std::move(compiler)), directory_(std::move(directory)) {}

  bool measure(const char* series, const std::string& module, const std::string& source) {
    // The loader takes a library of a known name for the one that it has.
    const std::string base = directory_ / (compiler_[0] + std::to_string(++count_));
    std::ofstream(base + ".c") << source;
    std::vector<std::string> command = compiler_;
    command.insert(command.end(), {"-o", base + ".so", base + ".c"});
    std::optional<Cost> cost = cweb::bench::run_and_time(command);
    if (!cost) {
      std::fprintf(stderr, "%s does not compile the module %s\n", name_.c_str(), module.c_str());
      return false;
    }
    if (!load(base + ".so", *cost)) return false;
    print_sample(series, module, name_, *cost);
    std::filesystem::remove(base + ".c");
    std::filesystem::remove(base + ".so");
    return true;
  }

 private:
  static bool load(const std::string& path, Cost& cost) {
    const cweb::Stopwatch watch;
    void* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
    const bool found = library != nullptr && dlsym(library, "config") != nullptr;
    // Loading computes and does not wait: its wall time is its processor time.
    cost.wall_ms += watch.elapsed_ms();
    cost.cpu_ms += watch.elapsed_ms();
    if (!found) std::fprintf(stderr, "%s\n", dlerror());
    if (library != nullptr) dlclose(library);
    return found;
  }

  const std::string name_;
  const std::vector<std::string> compiler_;
  const std::filesystem::path directory_;
  int count_ = 0;
};

bool measure_first(const Module& module, int start, SharedLibraries& gcc, SharedLibraries& tcc) {
  const std::string source = module.variant(-start - 1);
  Deploying server;
  const bool good = server.measure("first", module.name, source, 200);
  server.finish_sample();
  return good && gcc.measure("first", module.name, source) && tcc.measure("first", module.name, source);
}

/// A compiler follows each deploy: what the server does behind its answer is done when it is asked next.
bool measure_later(Deploying& server, const Module& module, int round, SharedLibraries& gcc, SharedLibraries& tcc) {
  const std::string source = module.variant(round);
  return server.measure("later", module.name, source, 200) && gcc.measure("later", module.name, source) &&
         server.measure("error", module.name, without_semicolon(source), 422) &&
         tcc.measure("later", module.name, source);
}

bool measure_all(const std::vector<Module>& modules, int rounds, int starts, const std::filesystem::path& directory) {
  const std::string include = "-I" + cweb::e2e::project_file("include");
  SharedLibraries gcc("gcc -O2", {"gcc", "-O2", "-shared", "-fPIC", include}, directory);
  // tcc has no _Atomic, so the counter counts without it, and cannot read the array parameters of <regex.h>.
  SharedLibraries tcc("tcc", {"tcc", "-shared", "-fPIC", "-D_Atomic=", "-D__STDC_NO_VLA__", include}, directory);
  for (const Module& module : modules) {
    for (int start = 0; start < starts; ++start) {
      if (!measure_first(module, start, gcc, tcc)) return false;
    }
  }
  Deploying server;
  for (int round = 0; round < warm_up_rounds; ++round) {
    for (const Module& module : modules) {
      if (!server.measure("warm up", module.name, module.variant(rounds + round), 200)) return false;
    }
  }
  for (int round = 0; round < rounds; ++round) {
    for (const Module& module : modules) {
      if (!measure_later(server, module, round, gcc, tcc)) return false;
    }
  }
  server.finish_sample();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : default_rounds;
  const int starts = argc > 2 ? std::atoi(argv[2]) : default_starts;
  const std::vector<Module> modules{{"counter", cweb::e2e::read_project_file("modules/counter.c")},
                                    {"wide", cweb::e2e::read_project_file("tests/bench/modules/wide.c")}};
  // What a server that offers this to modules has loaded, as cweb has.
  if (dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL) == nullptr) return 1;
  std::string directory = std::filesystem::temp_directory_path() / "cweb-deploys-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const bool good = measure_all(modules, rounds, starts, directory);
  std::filesystem::remove_all(directory);
  return good ? 0 : 1;
}
