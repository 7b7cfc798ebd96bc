// Threads that modules start, and what is local to a thread. A module's thread keeps its version alive until it ends.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

#include "runtime/calling_thread.h"
#include "runtime/fault_guard.h"
#include "runtime/fault_sink.h"
#include "runtime/host_functions.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

constexpr int max_threads_per_version = 256;

/// What a thread runs: one of the two functions, POSIX's or C11's. Each is called as the type it is; calling the one
/// through the other's type is undefined, and the result of C11's is an int.
struct Routine {
  void* (*posix)(void*) = nullptr;
  thrd_start_t c11 = nullptr;
  void* argument = nullptr;

  void* operator()() const {
    return posix != nullptr ? posix(argument) : reinterpret_cast<void*>(static_cast<intptr_t>(c11(argument)));
  }
};

struct Start {
  std::shared_ptr<ModuleVersion> version;
  Routine routine;
};

/// Lets go of the version when the thread ends, by whatever way: thread-local destructors run after pthread_exit and
/// after a cancellation too, which skip the frames between.
struct OwnThread {
  std::shared_ptr<ModuleVersion> version;
  std::optional<ThreadGuard> guard;
  ~OwnThread() {
    if (!version) return;
    set_recovery_point(nullptr);
    set_current_version(nullptr);
    guard.reset();
    version->own_threads.fetch_sub(1);
  }
};
thread_local OwnThread own_thread;
thread_local RecoveryPoint own_recovery_point;

void report_own_fault(const RecoveryPoint& point) {
  after_fault(point.fault);
  report_fault(own_thread.version, point.fault, {.call = "a thread of its own", .request = {}, .accept = {}});
}

thread_local RecoveryPoint destructor_recovery_point;

/// No object with a destructor here: the jump comes back over it.
void call_destructor(const ModuleVersion::ThreadKey& key, void* value) {
  if (sigsetjmp(destructor_recovery_point.jump, 0) != 0) {
    set_recovery_point(nullptr);
    return report_own_fault(destructor_recovery_point);
  }
  set_recovery_point(&destructor_recovery_point);
  key.destructor(value);
  set_recovery_point(nullptr);
}

thread_local bool ends_values = false;

/// Of a thread of the module's own: what libc does with the values of keys when a thread ends. There a fault in a
/// destructor would be the process's, and on the server's threads the version would have gone before.
void end_values() {
  RecoveryPoint* const outer = recovery_point();
  ends_values = true;
  bool found = true;
  for (int i = 0; found && i < PTHREAD_DESTRUCTOR_ITERATIONS; ++i) {
    found = false;
    for (const ModuleVersion::ThreadKey& each : own_thread.version->thread_keys()) {
      void* const value = pthread_getspecific(each.key);
      if (value == nullptr || each.destructor == nullptr) continue;
      found = true;
      pthread_setspecific(each.key, nullptr);
      call_destructor(each, value);
    }
  }
  ends_values = false;
  set_recovery_point(outer);
}

/// No object with a destructor here: the jump comes back over it.
void* run_guarded(Routine routine) {
  if (sigsetjmp(own_recovery_point.jump, 0) != 0) {
    CallingThread::current()->call_ended();
    set_recovery_point(nullptr);
    report_own_fault(own_recovery_point);
    return nullptr;
  }
  set_recovery_point(&own_recovery_point);
  CallingThread::current()->call_begins();
  void* const result = routine();
  set_recovery_point(nullptr);
  end_values();
  return result;
}

void* enter(void* given) {
  auto* start = static_cast<Start*>(given);
  own_thread.version = std::move(start->version);
  own_thread.guard.emplace();
  const Routine routine = start->routine;
  delete start;
  set_current_version(own_thread.version.get());
  return run_guarded(routine);
}

int start_thread(pthread_t* thread, const pthread_attr_t* attributes, Routine routine) {
  ModuleVersion* version = current_version();
  if (version == nullptr) return EPERM;
  if (version->own_threads.fetch_add(1) >= max_threads_per_version) {
    version->own_threads.fetch_sub(1);
    return EAGAIN;
  }
  pthread_t started{};
  int error = 0;
  {
    const HostSection section;
    auto* start = new (std::nothrow) Start{version->shared_from_this(), routine};
    error = start == nullptr ? EAGAIN : pthread_create(&started, attributes, enter, start);
    if (error != 0) {
      delete start;
      version->own_threads.fetch_sub(1);
    }
  }
  if (error == 0) *thread = started;
  return error;
}

int host_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*), void* argument) {
  return start_thread(thread, attributes, {.posix = function, .argument = argument});
}

int host_thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  if (pthread_join(thread, &value) != 0) return thrd_error;
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<intptr_t>(value));
  return thrd_success;
}

int host_thrd_detach(thrd_t thread) {
  return pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}

void host_pthread_exit(void* value) {
  if (!own_thread.version) stop_module_call("the module called pthread_exit() on a thread of the server's");
  if (ends_values) stop_module_call("the module called pthread_exit() while its thread ended");
  end_values();
  pthread_exit(value);
}

int host_thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  const int error = start_thread(thread, nullptr, {.c11 = function, .argument = argument});
  return error == 0 ? thrd_success : error == EAGAIN ? thrd_nomem : thrd_error;
}

void host_thrd_exit(int value) {
  host_pthread_exit(reinterpret_cast<void*>(static_cast<intptr_t>(value)));
}

int host_pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
  pthread_key_t made{};
  int error = 0;
  {
    const HostSection section;
    error = pthread_key_create(&made, nullptr);
    if (error == 0 && current_version() != nullptr) current_version()->add_thread_key({made, destructor});
  }
  if (error == 0) *key = made;
  return error;
}

int host_pthread_key_delete(pthread_key_t key) {
  const HostSection section;
  if (current_version() != nullptr) current_version()->forget_thread_key(key);
  return pthread_key_delete(key);
}

int host_tss_create(tss_t* key, tss_dtor_t destructor) {
  return host_pthread_key_create(key, destructor) == 0 ? thrd_success : thrd_error;
}

void host_tss_delete(tss_t key) {
  static_cast<void>(host_pthread_key_delete(key));
}

void* host_emutls_get_address(void* control) {
  ModuleVersion* version = current_version();
  void* address = nullptr;
  {
    const HostSection section;
    if (version != nullptr) address = version->tls().address(control);
  }
  if (address == nullptr) stop_module_call("no memory for a thread-local variable");
  return address;
}

}  // namespace

std::span<const HostSymbol> thread_functions() {
  static const HostSymbol functions[] = {
      host_function("pthread_create", host_pthread_create),
      // Started here, ended here: the thread sanitizer does not see what a module calls in libc.
      host_function("pthread_join", pthread_join),
      host_function("pthread_detach", pthread_detach),
      host_function("pthread_exit", host_pthread_exit),
      host_function("thrd_create", host_thrd_create),
      host_function("thrd_join", host_thrd_join),
      host_function("thrd_detach", host_thrd_detach),
      host_function("thrd_exit", host_thrd_exit),
      host_function("pthread_key_create", host_pthread_key_create),
      host_function("pthread_key_delete", host_pthread_key_delete),
      host_function("tss_create", host_tss_create),
      host_function("tss_delete", host_tss_delete),
      host_function("__emutls_get_address", host_emutls_get_address),
  };
  return functions;
}

}  // namespace cweb::runtime
