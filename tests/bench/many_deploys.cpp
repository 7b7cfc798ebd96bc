// What 2,000 deploys of one module leave behind, in the server and in its helpers.
#include <cstdio>
#include <string>

#include "deploying.h"
#include "measuring.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace {

constexpr int all_deploys = 2'000;

void print_row(int deploys, const cweb::e2e::ServerProcess& server) {
  const cweb::e2e::ProcessFacts facts = cweb::e2e::facts_of(server.pid());
  long helpers_kb = 0;
  for (const pid_t helper : cweb::e2e::children_of(server.pid())) helpers_kb += cweb::e2e::facts_of(helper).resident_kb;
  std::printf("  %7d %9ld kB %9ld %12ld %8ld %11ld kB\n", deploys, facts.resident_kb, facts.mappings, facts.descriptors,
              facts.threads, helpers_kb);
}

}  // namespace

int main() {
  cweb::e2e::ServerProcess server;
  cweb::e2e::HttpClient client(server.port());
  std::printf("deploys of one module in turn (%s)\n", cweb::bench::machine().c_str());
  std::printf("  %7s %12s %9s %12s %8s %14s\n", "deploys", "resident", "mappings", "descriptors", "threads",
              "all helpers");
  for (int number = 1; number <= all_deploys; ++number) {
    const std::string text = "version " + std::to_string(number);
    const cweb::e2e::DeployAnswer answer =
        cweb::e2e::deploy(client, cweb::e2e::answering_module("many", "/many", text));
    if (!answer.deployed() || client.get("/many").body != text) {
      std::fprintf(stderr, "deploy %d failed: %s\n", number, answer.text.c_str());
      return 1;
    }
    if (number != 1 && number != 100 && number != 1'000 && number != all_deploys) continue;
    cweb::e2e::eventually([&] { return cweb::e2e::draining_versions(client, "many") == 0; });
    print_row(number, server);
  }
  return 0;
}
