// The cache of cweb.h, for C.
#include <cweb.h>

#include <new>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/host_objects.h"
#include "runtime/module_thread.h"
#include "runtime/primitives.h"

namespace cweb::runtime {
namespace {

/// An exception must not meet the module's frames.
template <class Call>
int done_or_failed(const Call& call) {
  const HostSection section;
  try {
    return call() ? 0 : -1;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

int set(const char* name, void* value, Cache::Existing existing) {
  Primitives* const all = primitives();
  ModuleVersion* const version = current_version();
  if (all == nullptr || version == nullptr || name == nullptr || value == nullptr) return -1;
  const size_t length = read_through(name);
  return done_or_failed([&] { return all->cache.set(*version, {name, length}, value, existing); });
}

int host_set(const char* name, void* value) {
  return set(name, value, Cache::Existing::keep);
}

void* host_get(const char* name) {
  Primitives* const all = primitives();
  if (all == nullptr || name == nullptr) return nullptr;
  const size_t length = read_through(name);
  const HostSection section;
  return all->cache.get({name, length});
}

int host_container_set(void* a, void* b, void* c) {
  const Arguments<3> given(host_objects().cache, a, b, c);
  return set(given.at<const char*>(0), given.at<void*>(1), Cache::Existing::replace);
}

void* host_container_get(void* a, void* b) {
  return host_get(Arguments<2>(host_objects().cache, a, b).at<const char*>(0));
}

int host_container_remove(void* a, void* b) {
  Primitives* const all = primitives();
  const auto name = Arguments<2>(host_objects().cache, a, b).at<const char*>(0);
  if (all == nullptr || name == nullptr) return -1;
  const size_t length = read_through(name);
  return done_or_failed([&] { return all->cache.remove({name, length}); });
}

/// Copies into the module's buffer, which is known to be writable as far as `checked`. More than that when the bytes
/// have become more meanwhile: then nothing was copied. Who asks for the length alone passes no buffer.
long copy_cached(Cache& cache, std::string_view name, void* buffer, size_t size, size_t checked) {
  const HostSection section;
  const Cache::Bytes bytes = cache.fetch(name);
  if (!bytes) return -1;
  const size_t copied = std::min(size, bytes->size());
  if (copied > 0 && copied <= checked) std::memcpy(buffer, bytes->data(), copied);
  return static_cast<long>(bytes->size());
}

}  // namespace

void fill_in(struct container& cache) {
  cache.set = host_set;
  cache.get = host_get;
}

}  // namespace cweb::runtime

namespace host = cweb::runtime;

int cweb_cache_put(const char* name, const void* bytes, size_t length, long ttl_ms) {
  host::Primitives* const all = host::primitives();
  constexpr size_t longest = size_t{1} << 40;
  if (all == nullptr || name == nullptr || (bytes == nullptr && length > 0) || length > longest || ttl_ms < 0)
    return -1;
  const size_t name_length = host::read_through(name);
  host::read_through(bytes, length);
  return host::done_or_failed(
      [&] { return all->cache.put({name, name_length}, {static_cast<const char*>(bytes), length}, ttl_ms); });
}

long cweb_cache_fetch(const char* name, void* buffer, size_t size) {
  host::Primitives* const all = host::primitives();
  if (all == nullptr || name == nullptr || (buffer == nullptr && size > 0)) return -1;
  const std::string_view key(name, host::read_through(name));
  size_t checked = 0;
  while (true) {
    const long length = host::copy_cached(all->cache, key, buffer, size, checked);
    const size_t copied = length < 0 ? 0 : std::min(size, static_cast<size_t>(length));
    if (copied <= checked) return length;
    host::write_through(buffer, copied);
    checked = copied;
  }
}

int cweb_cache_expire(const char* name, long ttl_ms) {
  host::Primitives* const all = host::primitives();
  if (all == nullptr || name == nullptr || ttl_ms < 0) return -1;
  const size_t length = host::read_through(name);
  return host::done_or_failed([&] { return all->cache.expire({name, length}, ttl_ms); });
}

namespace cweb::runtime {

std::span<const HostSymbol> cache_functions() {
  static const HostSymbol functions[] = {
      {"cache", const_cast<struct container**>(&host_objects().cache)},
      host_function("container_set", host_container_set),
      host_function("container_get", host_container_get),
      host_function("container_remove", host_container_remove),
      host_function("cweb_cache_put", cweb_cache_put),
      host_function("cweb_cache_fetch", cweb_cache_fetch),
      host_function("cweb_cache_expire", cweb_cache_expire),
  };
  return functions;
}

}  // namespace cweb::runtime
