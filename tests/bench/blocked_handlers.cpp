// What others notice of handlers that block: 20 clients on one that sleeps a second, 20 on one that computes for 200 ms
// of processor time, one loop thread, and meanwhile the counter.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "deploying.h"
#include "measuring.h"
#include "raw_client.h"
#include "server_process.h"

namespace {

using namespace std::chrono_literals;

constexpr int clients_of_each = 20;
constexpr auto measured_time = 10s;

constexpr const char* busy_module = R"(#include <cweb.h>
#include <time.h>
#include <unistd.h>

static int sleep_a_second(struct http_request *req, struct http_response *res) {
    usleep(1000000);
    return 0;
}

static long processor_ms(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static int compute(struct http_request *req, struct http_response *res) {
    const long end = processor_ms() + 200;
    unsigned long sum = 0;
    while (processor_ms() < end)
        for (unsigned long i = 0; i < 100000; ++i) sum = sum * 31 + i;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%lu", sum);
    return 0;
}

export module_t config = {
    .name = "busy",
    .routes = {{"/sleep", "GET", sleep_a_second, NONE}, {"/compute", "GET", compute, NONE}},
    .size = 2,
};
)";

/// Clients that ask for one path again and again.
class Clients {
 public:
  Clients(uint16_t port, const std::string& path, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, port, path] {
        cweb::e2e::RawClient client(port);
        while (!done_) ++(client.exchange(cweb::e2e::get_request(path)).status == 200 ? answers_ : failures_);
      });
    }
  }
  ~Clients() { stop(); }
  void stop() {
    done_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  long answers() const { return answers_; }
  long failures() const { return failures_; }

 private:
  std::atomic<bool> done_{false};
  std::atomic<long> answers_{0}, failures_{0};
  std::vector<std::thread> threads_;
};

cweb::bench::Series ask_counter(uint16_t port, long& failures) {
  cweb::bench::Series series;
  cweb::e2e::RawClient client(port);
  const auto end = std::chrono::steady_clock::now() + measured_time;
  while (std::chrono::steady_clock::now() < end) {
    const cweb::Stopwatch watch;
    if (client.exchange(cweb::e2e::get_request("/counter")).status != 200) ++failures;
    series.add(watch.elapsed_ms());
    std::this_thread::sleep_for(1ms);
  }
  return series;
}

void print_row(const char* name, const cweb::bench::Series& series) {
  std::printf("  %-44s %8.2f %8.2f %8.2f %8zu\n", name, series.median(), series.percentile(0.99), series.maximum(),
              series.count());
}

}  // namespace

int main() {
  cweb::e2e::ServerProcess server({"--threads", "1"});
  if (!cweb::e2e::deploy(server.port(), cweb::e2e::read_project_file("modules/counter.c")).deployed()) return 1;
  if (!cweb::e2e::deploy(server.port(), busy_module).deployed()) return 1;

  long failures = 0;
  const cweb::bench::Series alone = ask_counter(server.port(), failures);
  Clients sleepers(server.port(), "/sleep", clients_of_each);
  const cweb::bench::Series beside_sleepers = ask_counter(server.port(), failures);
  Clients computers(server.port(), "/compute", clients_of_each);
  const cweb::bench::Series beside_both = ask_counter(server.port(), failures);
  const long sleeps = sleepers.answers();
  sleepers.stop();
  computers.stop();
  failures += sleepers.failures() + computers.failures();

  std::printf("GET /counter while handlers block, --threads 1, ms (%s)\n", cweb::bench::machine().c_str());
  std::printf("  %-44s %8s %8s %8s %8s\n", "", "p50", "p99", "max", "requests");
  print_row("alone", alone);
  print_row("beside 20 that sleep 1 s", beside_sleepers);
  print_row("beside these and 20 that compute 200 ms", beside_both);
  std::printf("  %ld sleeps of 1 s in %ld s: %.1f side by side\n", sleeps, static_cast<long>(2 * measured_time / 1s),
              static_cast<double>(sleeps) / static_cast<double>(2 * measured_time / 1s));
  std::printf("  failed requests: %ld\n", failures);
  return failures == 0 ? 0 : 1;
}
