// Threads that modules start. One keeps its version alive until it ends.
#include <pthread.h>
#include <sched.h>
#include <threads.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <unordered_set>

#include "runtime/calling_thread.h"
#include "runtime/database_session.h"
#include "runtime/fault_guard.h"
#include "runtime/fault_sink.h"
#include "runtime/host_functions.h"
#include "runtime/module_locale.h"
#include "runtime/module_output.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

constexpr int max_threads_per_version = 256;

/// What functions of ours need on the stack of a module's thread, printf's and SQLite's among them.
constexpr size_t least_stack_bytes = size_t{256} << 10;
/// Below a stack, so that a large frame does not step over it into other memory.
constexpr size_t least_guard_bytes = size_t{1} << 20;

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
    version->remove_own_thread(CallingThread::current());
    guard.reset();
    version->own_threads.fetch_sub(1);
  }
};
thread_local OwnThread own_thread;
thread_local RecoveryPoint own_recovery_point;

struct OwnReport {
  const std::shared_ptr<ModuleVersion>& version;
  const FaultRecord& fault;
};

void* make_report(void* given) {
  const auto& report = *static_cast<const OwnReport*>(given);
  report_fault(report.version, report.fault, {.call = "a thread of its own", .request = {}, .accept = {}});
  return nullptr;
}

/// A report finds lines and starts a fresh instance: it has a stack of its own for that, because nobody knows what is
/// left of the module's.
void report_own_fault(const RecoveryPoint& point) {
  after_fault(point.fault);
  end_output();
  end_locale();
  DatabaseSession::end_call();
  // The module may have cancelled the thread, which would end it here.
  int cancels = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
  OwnReport report{own_thread.version, point.fault};
  pthread_t reporter{};
  if (pthread_create(&reporter, nullptr, make_report, &report) == 0) {
    pthread_join(reporter, nullptr);
  } else {
    make_report(&report);
  }
  pthread_setcancelstate(cancels, nullptr);
}

thread_local RecoveryPoint destructor_recovery_point;

/// No object with a destructor here: the jump comes back over it.
void call_destructor(const ModuleVersion::ThreadKey& key, void* value) {
  if (sigsetjmp(destructor_recovery_point.jump, 0) != 0) {
    set_recovery_point(nullptr);
    return report_own_fault(destructor_recovery_point);
  }
  enter_call(destructor_recovery_point);
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
  enter_call(own_recovery_point);
  CallingThread::current()->call_begins();
  void* const result = routine();
  set_recovery_point(nullptr);
  end_values();
  end_output();
  return result;
}

void* enter(void* given) {
  auto* start = static_cast<Start*>(given);
  own_thread.version = std::move(start->version);
  own_thread.guard.emplace();
  own_thread.version->add_own_thread(CallingThread::current()->shared_from_this());
  const Routine routine = start->routine;
  delete start;
  set_current_version(own_thread.version.get());
  return run_guarded(routine);
}

/// What a module asks of a thread, as far as it has a say. A stack of its own making has no guard and an unknown size,
/// so its size alone counts; a mask could keep the guard's signals out.
struct Wishes {
  int detach_state = PTHREAD_CREATE_JOINABLE;
  size_t stack_bytes = 0, guard_bytes = 0;
  int scheduling = PTHREAD_INHERIT_SCHED, policy = 0;
  sched_param parameters{};
  cpu_set_t processors{};
  bool has_processors = false;
};

/// Reads what the module gave, which may be anything.
Wishes read_wishes(const pthread_attr_t* attributes) {
  Wishes wishes;
  pthread_attr_getdetachstate(attributes, &wishes.detach_state);
  pthread_attr_getstacksize(attributes, &wishes.stack_bytes);
  pthread_attr_getguardsize(attributes, &wishes.guard_bytes);
  pthread_attr_getinheritsched(attributes, &wishes.scheduling);
  pthread_attr_getschedpolicy(attributes, &wishes.policy);
  pthread_attr_getschedparam(attributes, &wishes.parameters);
  const int error = pthread_attr_getaffinity_np(attributes, sizeof wishes.processors, &wishes.processors);
  // All of them: nothing was asked for.
  wishes.has_processors = error == 0 && CPU_COUNT(&wishes.processors) < CPU_SETSIZE;
  return wishes;
}

/// Attributes for a thread that are as the module wishes, with a stack and a guard that are large enough.
class ThreadAttributes {
 public:
  ThreadAttributes() { pthread_attr_init(&attributes_); }
  ~ThreadAttributes() { pthread_attr_destroy(&attributes_); }
  ThreadAttributes(const ThreadAttributes&) = delete;
  ThreadAttributes& operator=(const ThreadAttributes&) = delete;

  const pthread_attr_t* get() const { return &attributes_; }
  /// 0, or an error of pthread_create's.
  int set(const Wishes& wishes) {
    int error = pthread_attr_setdetachstate(&attributes_, wishes.detach_state);
    const auto then = [&](int next) { error = error != 0 ? error : next; };
    then(pthread_attr_setstacksize(&attributes_, std::max(wishes.stack_bytes, least_stack_bytes)));
    then(pthread_attr_setguardsize(&attributes_, std::max(wishes.guard_bytes, least_guard_bytes)));
    then(pthread_attr_setinheritsched(&attributes_, wishes.scheduling));
    if (wishes.scheduling == PTHREAD_EXPLICIT_SCHED) {
      then(pthread_attr_setschedpolicy(&attributes_, wishes.policy));
      then(pthread_attr_setschedparam(&attributes_, &wishes.parameters));
    }
    if (wishes.has_processors) {
      then(pthread_attr_setaffinity_np(&attributes_, sizeof wishes.processors, &wishes.processors));
    }
    return error;
  }

 private:
  pthread_attr_t attributes_;
};

/// `wishes` may be null.
int start_guarded(pthread_t* thread, const Wishes* wishes, Start* start) {
  if (wishes == nullptr) return pthread_create(thread, nullptr, enter, start);
  ThreadAttributes attributes;
  const int error = attributes.set(*wishes);
  return error != 0 ? error : pthread_create(thread, attributes.get(), enter, start);
}

/// Threads that modules have started and neither joined nor detached. All others are the server's, which joins them
/// itself, or gone.
struct JoinableThreads {
  std::mutex mutex;
  std::unordered_set<pthread_t> threads;  // guarded by mutex
};
JoinableThreads& joinable() {
  static JoinableThreads* const joinable = new JoinableThreads();  // never destroyed: threads end after main does
  return *joinable;
}
/// Takes it out of them: of two that join it at once, one does.
bool take_joinable(pthread_t thread) {
  const HostSection section;
  const std::lock_guard lock(joinable().mutex);
  return joinable().threads.erase(thread) == 1;
}
void add_joinable(pthread_t thread) {
  const HostSection section;
  const std::lock_guard lock(joinable().mutex);
  joinable().threads.insert(thread);
}

int start_thread(pthread_t* thread, const pthread_attr_t* attributes, Routine routine) {
  ModuleVersion* version = current_version();
  if (version == nullptr) return EPERM;
  // Before anything is counted or owned: a fault may end the call there.
  Wishes wishes;
  if (attributes != nullptr) wishes = read_wishes(attributes);
  if (version->own_threads.fetch_add(1) >= max_threads_per_version) {
    version->own_threads.fetch_sub(1);
    return EAGAIN;
  }
  pthread_t started{};
  int error = 0;
  {
    const HostSection section;
    // One that detaches itself at once waits until it is known.
    const std::lock_guard lock(joinable().mutex);
    auto* start = new (std::nothrow) Start{version->shared_from_this(), routine};
    error = start == nullptr ? EAGAIN : start_guarded(&started, attributes != nullptr ? &wishes : nullptr, start);
    if (error != 0) {
      delete start;
      version->own_threads.fetch_sub(1);
    } else if (wishes.detach_state == PTHREAD_CREATE_JOINABLE) {
      joinable().threads.insert(started);
    }
  }
  if (error == 0) *thread = started;
  return error;
}

int host_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*), void* argument) {
  return start_thread(thread, attributes, {.posix = function, .argument = argument});
}

/// `join` is one of pthread_join's kind.
template <class Join>
int join_thread(pthread_t thread, void** result, Join join) {
  if (!take_joinable(thread)) return EINVAL;
  void* value = nullptr;
  if (const int error = join(thread, &value); error != 0) return add_joinable(thread), error;
  if (result != nullptr) *result = value;
  return 0;
}

int host_pthread_join(pthread_t thread, void** result) {
  return join_thread(thread, result, pthread_join);
}
int host_pthread_clockjoin(pthread_t thread, void** result, clockid_t clock, const timespec* until) {
  const timespec time = until == nullptr ? timespec{} : *until;
  return join_thread(thread, result, [&](pthread_t of, void** value) {
    return pthread_clockjoin_np(of, value, clock, until == nullptr ? nullptr : &time);
  });
}
int host_pthread_timedjoin(pthread_t thread, void** result, const timespec* until) {
  return host_pthread_clockjoin(thread, result, CLOCK_REALTIME, until);
}
int host_pthread_detach(pthread_t thread) {
  return take_joinable(thread) ? pthread_detach(thread) : EINVAL;
}

int host_thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  if (host_pthread_join(thread, &value) != 0) return thrd_error;
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<intptr_t>(value));
  return thrd_success;
}

int host_thrd_detach(thrd_t thread) {
  return host_pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}

void host_pthread_exit(void* value) {
  if (!own_thread.version) stop_module_call("the module called pthread_exit() on a thread of the server's");
  if (ends_values) stop_module_call("the module called pthread_exit() while its thread ended");
  end_values();
  end_output();
  pthread_exit(value);
}

int host_thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  const int error = start_thread(thread, nullptr, {.c11 = function, .argument = argument});
  return error == 0 ? thrd_success : error == EAGAIN ? thrd_nomem : thrd_error;
}

void host_thrd_exit(int value) {
  host_pthread_exit(reinterpret_cast<void*>(static_cast<intptr_t>(value)));
}

}  // namespace

std::span<const HostSymbol> thread_functions() {
  static const HostSymbol functions[] = {
      host_function("pthread_create", host_pthread_create),
      // Started here, ended here: the thread sanitizer does not see what a module calls in libc.
      host_function("pthread_join", host_pthread_join),
      host_function("pthread_timedjoin_np", host_pthread_timedjoin),
      host_function("pthread_clockjoin_np", host_pthread_clockjoin),
      host_function("pthread_detach", host_pthread_detach),
      host_function("pthread_exit", host_pthread_exit),
      host_function("thrd_create", host_thrd_create),
      host_function("thrd_join", host_thrd_join),
      host_function("thrd_detach", host_thrd_detach),
      host_function("thrd_exit", host_thrd_exit),
  };
  return functions;
}

}  // namespace cweb::runtime
