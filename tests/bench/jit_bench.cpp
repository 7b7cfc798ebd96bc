// What a deploy costs inside jit, without the server around it: compile in a helper, the hop there and back, link and
// unlink. Variants of modules/counter.c, so that nothing is answered from what is known. The program is its own helper.
//
// jit_bench [FILE [ROUNDS]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "jit/compiler.h"
#include "jit/linker.h"
#include "runtime/host_symbols.h"

namespace {

using cweb::Stopwatch;

constexpr int default_rounds = 200;
constexpr int warm_up_rounds = 20;

class Series {
 public:
  explicit Series(const char* name) : name_(name) {}
  void add(double ms) { values_.push_back(ms); }
  void print() {
    if (values_.empty()) return;
    std::sort(values_.begin(), values_.end());
    const auto at = [this](double share) {
      return values_[static_cast<size_t>(static_cast<double>(values_.size() - 1) * share)];
    };
    std::printf("  %-22s %8.3f %8.3f %8.3f\n", name_, at(0.5), at(0), at(0.99));
  }

 private:
  const char* name_;
  std::vector<double> values_;
};

int give_up(const std::string& message) {
  std::fprintf(stderr, "jit_bench: %s\n", message.c_str());
  return 1;
}

int measure(const std::string& source, int rounds, cweb::jit::Compiler& compiler, cweb::jit::Linker& linker) {
  Series front_end("front end"), back_end("back end"), compile("compile (helper)"), hop("hop"), link("link"),
      unlink("unlink"), all("source to image");
  for (int round = -warm_up_rounds; round < rounds; ++round) {
    const std::string variant =
        source + "\nstatic const int variant __attribute__((unused)) = " + std::to_string(round) + ";\n";
    const Stopwatch whole;
    const auto made = compiler.compile(variant);
    const double answered_ms = whole.elapsed_ms();
    if (!made) return give_up(made.error().rendered);
    const Stopwatch linking;
    auto image = linker.link(*made, variant);
    const double linked_ms = linking.elapsed_ms();
    if (!image) return give_up(image.error().rendered);
    const Stopwatch unlinking;
    image->reset();
    const double unlinked_ms = unlinking.elapsed_ms();
    if (round < 0) continue;
    front_end.add(made->timings.front_end_ms);
    back_end.add(made->timings.back_end_ms);
    compile.add(made->timings.total_ms);
    hop.add(answered_ms - made->timings.total_ms);
    link.add(linked_ms);
    unlink.add(unlinked_ms);
    all.add(answered_ms + linked_ms);
  }
  std::printf("  %-22s %8s %8s %8s\n", "ms", "median", "least", "99 %");
  for (Series* series : {&front_end, &back_end, &compile, &hop, &link, &unlink, &all}) series->print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "compile-helper") == 0) {
    return cweb::jit::compile_helper_main(std::atoi(argv[3]));
  }
  const std::string file = argc > 1 ? argv[1] : "modules/counter.c";
  const int rounds = argc > 2 ? std::atoi(argv[2]) : default_rounds;
  std::ifstream in(file);
  if (!in) return give_up("cannot read " + file + "; run it in the project's directory, or name a module");
  const std::string source(std::istreambuf_iterator<char>(in), {});

  const Stopwatch starting;
  auto compiler = cweb::jit::start_compile_helpers({});
  if (!compiler) return give_up(compiler.error().message);
  const double started_ms = starting.elapsed_ms();
  auto linker = cweb::jit::Linker::create(cweb::runtime::host_symbols());
  if (!linker) return give_up(linker.error().message);
  std::printf("%s, %d rounds; first helper warm after %.0f ms\n", file.c_str(), rounds, started_ms);
  return measure(source, rounds, **compiler, **linker);
}
