#include "mgnt/process_facts.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace cweb::mgnt {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

uint64_t count_descriptors() {
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  // The one that the look itself needs was among them.
  return count > 0 ? count - 1 : 0;
}

double start_time() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The program's name may contain anything, so the fields are counted from behind it: the start is the 20th there.
  std::istringstream fields(line.substr(std::min(line.rfind(')') + 1, line.size())));
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;
  uint64_t ticks_after_boot = 0;
  if (!fields || !(std::istringstream(field) >> ticks_after_boot)) return 0;
  timespec now{};
  timespec up{};
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(CLOCK_BOOTTIME, &up);
  const auto of = [](const timespec& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  return of(now) - of(up) + static_cast<double>(ticks_after_boot) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  facts.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream statm("/proc/self/statm");
  statm >> facts.virtual_bytes >> facts.resident_bytes;
  facts.virtual_bytes *= page;
  facts.resident_bytes *= page;
  facts.open_descriptors = count_descriptors();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  facts.descriptor_limit = limit.rlim_cur;
  // It does not change, and the clock it is reckoned with may be set.
  static const double started_at = start_time();
  facts.started_at = started_at;
  return facts;
}

}  // namespace cweb::mgnt
