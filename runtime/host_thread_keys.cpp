// Thread-specific values. A key is the version's that made it: others, such as one that was never made, are the
// server's own, whose values are no module's to see, to set or to delete.
#include <limits.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <threads.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "runtime/code_map.h"
#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

/// By key, the id of the version that made it. Versions' ids are not used again, so what one leaves behind with its
/// keys is nobody's.
std::array<std::atomic<uint64_t>, PTHREAD_KEYS_MAX> makers{};

/// The version that made the key, if that is the called one or the one whose code asks; else 0. `caller`: where that
/// code is. They differ where a module calls functions of another.
uint64_t maker_of(pthread_key_t key, const void* caller) {
  const ModuleVersion* const called = current_version();
  if (key >= makers.size() || called == nullptr) return 0;
  const uint64_t maker = makers[key].load(std::memory_order_acquire);
  if (maker == 0 || maker == called->id()) return maker;
  return find_code(reinterpret_cast<uintptr_t>(caller)).version == maker ? maker : 0;
}

/// It belongs to the version whose code asks: when another module's call makes it, for a variable of its own, it is to
/// outlive that module.
int make_key(pthread_key_t* key, void (*destructor)(void*), const void* caller) {
  ModuleVersion* const called = current_version();
  if (called == nullptr) return EPERM;
  pthread_key_t made{};
  {
    const HostSection section;
    const auto other = called->image().contains(caller)
                           ? nullptr
                           : find_version(find_code(reinterpret_cast<uintptr_t>(caller)).version);
    ModuleVersion& owner = other ? *other : *called;
    if (const int error = pthread_key_create(&made, nullptr); error != 0) return error;
    owner.add_thread_key({made, destructor});
    makers[made].store(owner.id(), std::memory_order_release);
  }
  store(key, made);
  return 0;
}

int delete_key(pthread_key_t key, const void* caller) {
  uint64_t maker = maker_of(key, caller);
  if (maker == 0) return EINVAL;
  const HostSection section;
  // Of two that delete it at once, one does.
  if (!makers[key].compare_exchange_strong(maker, 0)) return EINVAL;
  if (maker == current_version()->id()) {
    current_version()->forget_thread_key(key);
  } else if (const auto version = find_version(maker)) {
    version->forget_thread_key(key);
  }
  return pthread_key_delete(key);
}

int set_value(pthread_key_t key, const void* value, const void* caller) {
  return maker_of(key, caller) == 0 ? EINVAL : pthread_setspecific(key, value);
}
void* value_of(pthread_key_t key, const void* caller) {
  return maker_of(key, caller) == 0 ? nullptr : pthread_getspecific(key);
}

int host_pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
  return make_key(key, destructor, __builtin_return_address(0));
}
int host_pthread_key_delete(pthread_key_t key) {
  return delete_key(key, __builtin_return_address(0));
}
int host_pthread_setspecific(pthread_key_t key, const void* value) {
  return set_value(key, value, __builtin_return_address(0));
}
void* host_pthread_getspecific(pthread_key_t key) {
  return value_of(key, __builtin_return_address(0));
}

int host_tss_create(tss_t* key, tss_dtor_t destructor) {
  return make_key(key, destructor, __builtin_return_address(0)) == 0 ? thrd_success : thrd_error;
}
void host_tss_delete(tss_t key) {
  static_cast<void>(delete_key(key, __builtin_return_address(0)));
}
int host_tss_set(tss_t key, void* value) {
  return set_value(key, value, __builtin_return_address(0)) == 0 ? thrd_success : thrd_error;
}

// OpenSSL's names for the same; 1 is success.
int host_crypto_init_local(CRYPTO_THREAD_LOCAL* key, void (*destructor)(void*)) {
  return static_cast<int>(make_key(key, destructor, __builtin_return_address(0)) == 0);
}
int host_crypto_cleanup_local(const CRYPTO_THREAD_LOCAL* key) {
  return static_cast<int>(delete_key(*key, __builtin_return_address(0)) == 0);
}
int host_crypto_set_local(const CRYPTO_THREAD_LOCAL* key, void* value) {
  return static_cast<int>(set_value(*key, value, __builtin_return_address(0)) == 0);
}
void* host_crypto_get_local(const CRYPTO_THREAD_LOCAL* key) {
  return value_of(*key, __builtin_return_address(0));
}

}  // namespace

std::span<const HostSymbol> thread_key_functions() {
  static const HostSymbol functions[] = {
      host_function("pthread_key_create", host_pthread_key_create),
      host_function("__pthread_key_create", host_pthread_key_create),
      host_function("pthread_key_delete", host_pthread_key_delete),
      host_function("pthread_setspecific", host_pthread_setspecific),
      host_function("__pthread_setspecific", host_pthread_setspecific),
      host_function("pthread_getspecific", host_pthread_getspecific),
      host_function("__pthread_getspecific", host_pthread_getspecific),
      host_function("tss_create", host_tss_create),
      host_function("tss_delete", host_tss_delete),
      host_function("tss_set", host_tss_set),
      host_function("tss_get", host_pthread_getspecific),
      host_function("CRYPTO_THREAD_init_local", host_crypto_init_local),
      host_function("CRYPTO_THREAD_cleanup_local", host_crypto_cleanup_local),
      host_function("CRYPTO_THREAD_set_local", host_crypto_set_local),
      host_function("CRYPTO_THREAD_get_local", host_crypto_get_local),
  };
  return functions;
}

}  // namespace cweb::runtime
