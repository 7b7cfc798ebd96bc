#include "runtime/invoke.h"

#include <setjmp.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <type_traits>

#include "base/clock.h"
#include "runtime/calling_thread.h"
#include "runtime/database_session.h"
#include "runtime/deadline_watch.h"
#include "runtime/fault_guard.h"
#include "runtime/handover_monitor.h"
#include "runtime/library_return.h"
#include "runtime/module_locale.h"
#include "runtime/module_output.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"
#include "runtime/processor_state.h"
#include "runtime/retirer.h"
#include "runtime/spare_threads.h"

namespace cweb::runtime {
namespace {

// Each callback as the two generations of modules declare it.
using Handler = int (*)(http_request*, http_response*);
using OnOpen = void (*)(websocket*);  // and on_close
using OnMessage = void (*)(websocket*, const char*, size_t);
using ContextHandler = int (*)(cweb_context*, http_request*, http_response*);
using ContextOnOpen = void (*)(cweb_context*, websocket*);
using ContextOnMessage = void (*)(cweb_context*, websocket*, const char*, size_t);
using ContextLoad = void (*)(cweb_context*);

/// A pointer to a function of the module as the type that its shape says it has.
template <class Function>
Function as(void* function) {
  return reinterpret_cast<Function>(function);
}

/// Of a call that has come back after its deadline: where it was when that came.
void note_deadline(FaultRecord& fault) {
  const CallingThread& thread = *CallingThread::current();
  if (!thread.last_seen(thread.call(), fault)) fault = {};
  fault.kind = FaultRecord::Kind::deadline;
}

/// The innermost step: a recovery point around the call. No object with a destructor may live between the two, so this
/// function has none, and `call` is none. False when the call was ended by a fault or the like, which is then in
/// `point`.
template <class Call>
bool call_guarded(RecoveryPoint& point, const Call& call) {
  static_assert(std::is_trivially_destructible_v<Call>);
  // The signal mask is not saved: that would be a system call for every request.
  if (sigsetjmp(point.jump, 0) != 0) {
    restore_processor_state();
    CallingThread::current()->call_ended();
    set_recovery_point(nullptr);
    after_fault(point.fault);
    end_output();
    end_locale();
    // Before anybody starts a fresh instance, whose onload may want the database.
    DatabaseSession::end_call();
    return false;
  }
  enter_call(point);
  CallingThread::current()->call_begins();
  call();
  restore_processor_state();
  const bool overdue = CallingThread::current()->is_overdue();
  if (overdue) {
    note_deadline(point.fault);
    forget_exchanged_return();
  }
  CallingThread::current()->call_ended();
  set_recovery_point(nullptr);
  end_output();
  end_locale();
  return !overdue;
}

/// A call that ends within this was not worth a hand-over.
constexpr int64_t fast_call_ns = 1'000'000;

void note_duration(RouteState& state, int64_t duration_ns) {
  if (duration_ns > HandoverMonitor::patience_ns) {
    state.blocking.store(HandoverMonitor::blocking_score, std::memory_order_relaxed);
  } else if (duration_ns < fast_call_ns && state.blocking.load(std::memory_order_relaxed) > 0) {
    state.blocking.fetch_sub(1, std::memory_order_relaxed);
  }
}

/// One a thread: a reason outlives the call that gave it.
thread_local RecoveryPoint thread_recovery_point;

void enter_version(ModuleVersion& version) {
  SpareThreads::set_inside(&version);
  set_current_version(&version);
}

void leave_version(Retirer* retirer, ModuleVersion& version) {
  DatabaseSession::end_call();
  set_current_version(nullptr);
  // Once the thread is no longer seen inside, the version may go at any moment: only its id is used from there on.
  const uint64_t id = version.id();
  SpareThreads::set_inside(nullptr);
  if (retirer && retirer->wants(id)) retirer->poke();
}

/// A call on the thread that owns the loop, which is handed over before it when it is known to block.
template <class Call>
CallResult call_on_loop(HandoverMonitor& monitor, LoopGate& gate, ModuleVersion& version, RouteState& state,
                        const Call& call) {
  CallResult result;
  enter_version(version);
  bool returned = false;
  if (state.blocking.load(std::memory_order_relaxed) > 0 && monitor.hand_over(gate, version)) {
    const int64_t start_ns = monotonic_ns();
    const auto thread = CallingThread::current()->shared_from_this();
    monitor.deadlines().add({.thread = thread,
                             .call = thread->call() + 1,
                             .version = version.weak_from_this(),
                             .due_ns = start_ns + version.deadline_ns,
                             .gate = &gate});
    returned = call_guarded(thread_recovery_point, call);
    note_duration(state, monotonic_ns() - start_ns);
    result.kept_loop = false;
  } else {
    const uint64_t number = monitor.enter(gate, version, state);
    returned = call_guarded(thread_recovery_point, call);
    result.kept_loop = HandoverMonitor::leave(gate, number);
  }
  if (!returned) {
    result.ending = CallResult::Ending::stopped;
    result.fault = &thread_recovery_point.fault;
    if (result.kept_loop && monitor.hand_over(gate, version)) result.kept_loop = false;
    // Something of a library's may be half done on this thread.
    if (result.fault->outside_module) SpareThreads::end_this_thread();
  }
  return result;
}

/// A call on a thread of SpareThreads' that drives no loop.
template <class Call>
WaitedCall call_with_deadline(DeadlineWatch& deadlines, ModuleVersion& version, std::chrono::milliseconds deadline,
                              const Call& call) {
  WaitedCall result;
  enter_version(version);
  const auto thread = CallingThread::current()->shared_from_this();
  deadlines.add({.thread = thread,
                 .call = thread->call() + 1,
                 .version = version.weak_from_this(),
                 .due_ns = monotonic_ns() + std::chrono::nanoseconds(deadline).count()});
  if (!call_guarded(thread_recovery_point, call)) {
    result.ending = WaitedCall::Ending::stopped;
    result.fault = thread_recovery_point.fault;
    result.fault.deadline_ns = std::chrono::nanoseconds(deadline).count();
    if (result.fault.outside_module) SpareThreads::end_this_thread();
  }
  leave_version(nullptr, version);
  return result;
}

}  // namespace

CallResult call_handler(HandoverMonitor& monitor, LoopGate& gate, ModuleVersion& version, size_t route,
                        http_request& request, http_response& response) {
  const RouteConfig& config = version.config.routes[route];
  // In memory, and not in a register that the jump back would restore.
  int value = 0;
  CallResult result = call_on_loop(monitor, gate, version, version.route_states[route], [&] {
    value = config.shape == CallShape::context_first
                ? as<ContextHandler>(config.handler)(&version.context(), &request, &response)
                : as<Handler>(config.handler)(&request, &response);
  });
  result.value = value;
  return result;
}

CallResult call_socket(HandoverMonitor& monitor, LoopGate& gate, ModuleVersion& version, const SocketCall& call) {
  using Callback = SocketCall::Callback;
  const WebSocketConfig& config = version.config.websockets[call.socket];
  RouteState& state = version.socket_states[3 * call.socket + static_cast<size_t>(call.callback)];
  cweb_context* const context = &version.context();
  if (call.callback == Callback::on_message) {
    return call_on_loop(monitor, gate, version, state, [&] {
      if (config.message_shape == CallShape::context_first) {
        as<ContextOnMessage>(config.on_message)(context, call.handle, call.message, call.length);
      } else {
        as<OnMessage>(config.on_message)(call.handle, call.message, call.length);
      }
    });
  }
  const bool opens = call.callback == Callback::on_open;
  void* const callback = opens ? config.on_open : config.on_close;
  const CallShape shape = opens ? config.open_shape : config.close_shape;
  return call_on_loop(monitor, gate, version, state, [&] {
    if (shape == CallShape::context_first) {
      as<ContextOnOpen>(callback)(context, call.handle);
    } else {
      as<OnOpen>(callback)(call.handle);
    }
  });
}

void LoadFunction::operator()(cweb_context& context) const {
  if (shape_ == CallShape::context_first) {
    reinterpret_cast<ContextLoad>(function_)(&context);
  } else {
    function_();
  }
}

void call_done(Retirer& retirer, ModuleVersion& version) {
  leave_version(&retirer, version);
}

void detached_call_done(Retirer& retirer, ModuleVersion& version) {
  version.threads->give_back();
  leave_version(&retirer, version);
}

WaitedCall call_on_this_thread(DeadlineWatch& deadlines, ModuleVersion& version, LoadFunction function,
                               std::chrono::milliseconds deadline) {
  return call_with_deadline(deadlines, version, deadline, [&] { function(version.context()); });
}

WaitedCall call_on_this_thread(DeadlineWatch& deadlines, ModuleVersion& version, Work work,
                               std::chrono::milliseconds deadline) {
  return call_with_deadline(deadlines, version, deadline, [&] { work.function(work.data); });
}

void note_stuck(const CallingThread& thread, uint64_t call, std::chrono::nanoseconds deadline, FaultRecord& fault) {
  if (!thread.last_seen(call, fault)) fault = {};
  fault.kind = FaultRecord::Kind::deadline;
  fault.outside_module = true;
  fault.deadline_ns = deadline.count();
}

WaitedCall call_and_wait(SpareThreads& threads, DeadlineWatch& deadlines, const std::shared_ptr<ModuleVersion>& version,
                         LoadFunction function, std::chrono::milliseconds deadline) {
  /// A call in the module's own code ends at the deadline; this long after it, it is known to be somewhere else.
  constexpr std::chrono::milliseconds grace{40};
  struct Wait {
    std::mutex mutex;
    std::condition_variable ended;
    bool done = false;
    std::shared_ptr<CallingThread> thread;  // of the call, once it has begun
    uint64_t call = 0;
    WaitedCall result;
  };
  std::optional<ThreadShare::Use> use = version->threads->try_take(ThreadShare::limit + ThreadShare::reserve);
  if (!use) return {.ending = WaitedCall::Ending::no_share, .fault = {}};
  const auto wait = std::make_shared<Wait>();
  SpareThreads::Task task = [wait, &deadlines, version, function, deadline, use = std::move(use)]() mutable {
    {
      const std::lock_guard lock(wait->mutex);
      wait->thread = CallingThread::current()->shared_from_this();
      wait->call = wait->thread->call() + 1;
    }
    const WaitedCall result = call_on_this_thread(deadlines, *version, function, deadline);
    use.reset();
    const std::lock_guard lock(wait->mutex);
    wait->done = true;
    wait->result = result;
    wait->ended.notify_one();
  };
  if (!threads.run(task)) return {.ending = WaitedCall::Ending::no_thread, .fault = {}};
  std::unique_lock lock(wait->mutex);
  if (wait->ended.wait_for(lock, deadline + grace, [&] { return wait->done; })) return wait->result;
  WaitedCall overdue{.ending = WaitedCall::Ending::overdue, .fault = {}};
  if (wait->thread) note_stuck(*wait->thread, wait->call, deadline, overdue.fault);
  return overdue;
}

}  // namespace cweb::runtime
