#include "runtime/module_version.h"

#include <cweb.h>

#include <algorithm>
#include <utility>

#include "runtime/code_map.h"
#include "runtime/host_context.h"

namespace cweb::runtime {
namespace {

std::atomic<VersionEndObserver*> end_observer{nullptr};

/// A module that asks for functions of another with each request meets each version of it.
constexpr size_t most_kept = 256;

}  // namespace

void set_version_end_observer(VersionEndObserver* observer) {
  end_observer.store(observer, std::memory_order_release);
}

const char* to_string(VersionState state) {
  switch (state) {
    case VersionState::linked:
      return "linked";
    case VersionState::loading:
      return "loading";
    case VersionState::live:
      return "live";
    case VersionState::draining:
      return "draining";
    case VersionState::unloading:
      return "unloading";
    case VersionState::retired:
      return "retired";
    case VersionState::failed:
      return "failed";
  }
  return "unknown";
}

ModuleVersion::ModuleVersion(uint64_t id, std::unique_ptr<CodeImage> image, size_t memory_limit)
    : id_(id), context_(make_context()), heap_(ModuleHeap::create(memory_limit)), image_(std::move(image)) {}

ModuleVersion::~ModuleVersion() {
  forget_code(id_);
  if (VersionEndObserver* const observer = end_observer.load(std::memory_order_acquire)) observer->version_ends(*this);
  if (module_counters) module_counters->fold(*counters);
  for (const ThreadKey& each : thread_keys_) pthread_key_delete(each.key);
}

void ModuleVersion::add_thread_key(ThreadKey key) {
  const std::lock_guard lock(mutex_);
  thread_keys_.push_back(key);
}

void ModuleVersion::forget_thread_key(pthread_key_t key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(thread_keys_, [&](const ThreadKey& each) { return each.key == key; });
}

std::vector<ModuleVersion::ThreadKey> ModuleVersion::thread_keys() {
  const std::lock_guard lock(mutex_);
  return thread_keys_;
}

void ModuleVersion::keep(const std::shared_ptr<ModuleVersion>& other) {
  std::shared_ptr<ModuleVersion> oldest;  // not under the lock: it may go
  const std::lock_guard lock(mutex_);
  if (std::find(kept_.begin(), kept_.end(), other) != kept_.end()) return;
  kept_.push_back(other);
  if (kept_.size() <= most_kept) return;
  oldest = std::move(kept_.front());
  kept_.pop_front();
}

void ModuleVersion::let_go_of_kept() {
  std::deque<std::shared_ptr<ModuleVersion>> kept;
  const std::lock_guard lock(mutex_);
  kept.swap(kept_);
}

void ModuleVersion::add_own_thread(std::shared_ptr<CallingThread> thread) {
  const std::lock_guard lock(mutex_);
  running_threads_.push_back(std::move(thread));
}

void ModuleVersion::remove_own_thread(const CallingThread* thread) {
  const std::lock_guard lock(mutex_);
  std::erase_if(running_threads_, [&](const auto& each) { return each.get() == thread; });
}

std::vector<std::shared_ptr<CallingThread>> ModuleVersion::running_own_threads() {
  const std::lock_guard lock(mutex_);
  return running_threads_;
}

}  // namespace cweb::runtime
