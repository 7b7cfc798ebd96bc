#include "runtime/module_version.h"

#include <algorithm>

namespace cweb::runtime {

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

ModuleVersion::ModuleVersion(uint64_t id, std::unique_ptr<CodeImage> image)
    : id_(id), heap_(ModuleHeap::create()), image_(std::move(image)) {}

ModuleVersion::~ModuleVersion() {
  if (module_counters) module_counters->fold(*counters);
  for (const pthread_key_t key : thread_keys_) pthread_key_delete(key);
}

void ModuleVersion::add_thread_key(pthread_key_t key) {
  const std::lock_guard lock(mutex_);
  thread_keys_.push_back(key);
}

void ModuleVersion::forget_thread_key(pthread_key_t key) {
  const std::lock_guard lock(mutex_);
  std::erase(thread_keys_, key);
}

}  // namespace cweb::runtime
