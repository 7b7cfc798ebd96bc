#include "runtime/call_counters.h"

#include <numeric>

namespace cweb::runtime {

uint64_t CallTotals::calls() const {
  return std::accumulate(calls_by_duration.begin(), calls_by_duration.end(), uint64_t{0});
}

CallCounters::~CallCounters() {
  for (const auto& shard : shards_) delete shard.load();
}

void CallCounters::count_detached(const Call& call) {
  Shard& counts = shard(detached_shard);
  counts.calls_by_duration[call.bucket].add_shared();
  counts.ticks.add_shared(call.ticks);
  counts.routes[call.route].add_shared(call.status_digit);
  if (call.stopped) counts.stopped.add_shared();
}

CallCounters::Shard& CallCounters::make_shard(size_t index) {
  auto made = std::make_unique<Shard>(routes_);
  // Two calls without a loop may both be the first.
  Shard* first = nullptr;
  if (shards_[index].compare_exchange_strong(first, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *first;
}

void CallCounters::add_to(CallTotals& totals) const {
  each_shard([&](const Shard& shard) {
    for (size_t i = 0; i < latency_bucket_count; ++i) totals.calls_by_duration[i] += shard.calls_by_duration[i].read();
    totals.ticks += shard.ticks.read();
    totals.stopped += shard.stopped.read();
  });
}

void CallCounters::add_answers_to(StatusCounts& counts, size_t route) const {
  each_shard([&](const Shard& shard) { shard.routes[route].add_to(counts); });
}

}  // namespace cweb::runtime
