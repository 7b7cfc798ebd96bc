#include "base/tick_clock.h"

#include <cpuid.h>

#include <fstream>
#include <string>

namespace cweb {
namespace {

/// The same moment on both clocks.
struct Moment {
  uint64_t ticks = 0;
  int64_t ns = 0;
};

/// Of a few attempts the one with the least time in between: the thread may have been interrupted in the others.
Moment read_both() {
  Moment best;
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const uint64_t before = __rdtsc();
    const int64_t ns = monotonic_ns();
    const uint64_t after = __rdtsc();
    if (after - before >= least) continue;
    least = after - before;
    best = {before + (after - before) / 2, ns};
  }
  return best;
}

double measure_seconds_per_tick() {
  constexpr int64_t span_ns = 2'000'000;
  const Moment start = read_both();
  Moment end = read_both();
  while (end.ns - start.ns < span_ns) end = read_both();
  return static_cast<double>(end.ns - start.ns) * 1e-9 / static_cast<double>(end.ticks - start.ticks);
}

bool counter_is_invariant() {
  constexpr unsigned power_management_leaf = 0x80000007;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(power_management_leaf, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 8)) != 0;
}

/// The kernel watches the counters of all processors, and leaves them when they differ.
bool kernel_trusts_counter() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  file >> name;
  return name == "tsc" || name == "kvm-clock" || name == "hyperv_clocksource_tsc_page";
}

}  // namespace

TickClock::Source TickClock::best_source() {
  return counter_is_invariant() && kernel_trusts_counter() ? Source::time_stamp_counter : Source::monotonic;
}

TickClock::TickClock(Source source) : source_(source) {
  if (source_ == Source::time_stamp_counter) seconds_per_tick_ = measure_seconds_per_tick();
}

}  // namespace cweb
