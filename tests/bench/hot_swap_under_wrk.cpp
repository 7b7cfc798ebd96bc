// Deploys under full load: wrk keeps 64 connections busy while two versions of a module take turns every 20 ms. Not one
// request may fail, and none that begins after a deploy was answered may see the version before it.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "child_process.h"
#include "deploying.h"
#include "measuring.h"
#include "raw_client.h"
#include "server_process.h"

namespace {

using namespace std::chrono_literals;

constexpr auto deploy_interval = 20ms;
constexpr auto load_time = 10s;

std::string version(int number) {
  return cweb::e2e::answering_module("swapped", "/swapped", number % 2 == 0 ? "even" : "odd");
}

/// The number behind `label` in wrk's output; 0 when it has no such line.
long number_behind(const std::string& text, const std::string& label) {
  const size_t at = text.find(label);
  return at == std::string::npos ? 0 : std::atol(text.c_str() + at + label.size());
}

/// "  1234567 requests in 10.00s, ..."
long requests_in(const std::string& text) {
  const size_t at = text.find(" requests in ");
  return at == std::string::npos ? 0 : cweb::e2e::last_number(text.substr(0, at));
}

}  // namespace

int main() {
  cweb::e2e::ServerProcess server;
  cweb::e2e::HttpClient client(server.port());
  if (!cweb::e2e::deploy(client, version(0)).deployed()) return 1;

  const cweb::e2e::OutputFile output;
  const pid_t wrk = cweb::e2e::start_program(
      {"wrk", "-t1", "-c64", "-d" + std::to_string(load_time / 1s) + "s", server.url("/swapped")},
      {{output.fd(), 1}, {output.fd(), 2}});
  cweb::e2e::RawClient other(server.port());
  cweb::bench::Series deploys;
  long failed_deploys = 0;
  long stale = 0;
  int status = 0;
  auto next_deploy = std::chrono::steady_clock::now();
  for (int number = 1; waitpid(wrk, &status, WNOHANG) == 0; ++number) {
    // One that takes longer than the interval delays the next and is not made up for.
    next_deploy = std::max(next_deploy + deploy_interval, std::chrono::steady_clock::now());
    std::this_thread::sleep_until(next_deploy);
    const cweb::e2e::DeployAnswer answer = cweb::e2e::deploy(client, version(number));
    if (!answer.deployed()) ++failed_deploys;
    deploys.add(answer.elapsed_ms);
    const std::string expected = number % 2 == 0 ? "even" : "odd";
    if (client.get("/swapped").body != expected) ++stale;
    if (other.exchange(cweb::e2e::get_request("/swapped")).body != expected) ++stale;
    if (cweb::e2e::RawClient(server.port()).exchange(cweb::e2e::get_request("/swapped")).body != expected) ++stale;
  }

  const std::string text = output.text();
  const long requests = requests_in(text);
  const long refused = number_behind(text, "Non-2xx or 3xx responses: ");
  const size_t errors = text.find("Socket errors:");
  const std::string socket_errors =
      errors == std::string::npos ? "none" : text.substr(errors + 15, text.find('\n', errors) - errors - 15);
  std::printf("hot swap under wrk -c64 for %ld s, a deploy every %ld ms (%s)\n", static_cast<long>(load_time / 1s),
              static_cast<long>(deploy_interval / 1ms), cweb::bench::machine().c_str());
  std::printf("  requests       %ld\n  non-2xx        %ld\n  socket errors  %s\n", requests, refused,
              socket_errors.c_str());
  std::printf("  deploys        %zu, median %.1f ms, p99 %.1f ms, failed %ld\n", deploys.count(), deploys.median(),
              deploys.percentile(0.99), failed_deploys);
  std::printf("  stale answers  %ld of %zu\n", stale, 3 * deploys.count());
  const bool good = requests > 0 && refused == 0 && socket_errors == "none" && failed_deploys == 0 && stale == 0;
  if (!good) std::printf("---- wrk ----\n%s", text.c_str());
  return good ? 0 : 1;
}
