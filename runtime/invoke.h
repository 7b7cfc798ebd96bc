// The one place that calls module code. Whatever guards a call (who is inside which version, hand-over of a loop whose
// handler blocks, deadlines, faults) is put around it here and nowhere else.
#pragma once

#include <chrono>
#include <memory>

#include "runtime/code_image.h"
#include "runtime/fault_record.h"

struct cweb_context;
struct http_request;
struct http_response;
struct websocket;

namespace cweb::runtime {

class CallingThread;
class DeadlineWatch;
class HandoverMonitor;
class LoopGate;
class ModuleVersion;
class Retirer;
class SpareThreads;

/// How a handler call ended.
struct CallResult {
  enum class Ending {
    returned,
    stopped,  ///< by a fault, by its deadline, or by the module (exit, abort): the request fails, the server does not
  };
  Ending ending = Ending::returned;
  int value = 0;  ///< what the handler returned
  /// False: the loop was handed to another thread meanwhile. The caller no longer owns anything of the loop but the
  /// call itself, and must post its answer, then say detached_call_done().
  bool kept_loop = true;
  const FaultRecord* fault = nullptr;  ///< of `stopped`; valid until the next call on this thread
};

/// Calls the handler of `route` on the thread that owns the loop behind `gate`. `version` must come from the route
/// table that the loop holds now. A route that is known to block is called with the loop handed over beforehand. After
/// a fault the loop is handed over if there is a thread for it: what has to be done then takes milliseconds.
CallResult call_handler(HandoverMonitor& monitor, LoopGate& gate, ModuleVersion& version, size_t route,
                        http_request& request, http_response& response);

/// A callback of a socket.
struct SocketCall {
  enum class Callback { on_open, on_message, on_close };
  Callback callback;
  size_t socket;  ///< index into config.websockets
  websocket* handle;
  const char* message = nullptr;  ///< of on_message; a NUL stands behind it
  size_t length = 0;
};

/// The same for a callback of a socket; it must not be null.
CallResult call_socket(HandoverMonitor& monitor, LoopGate& gate, ModuleVersion& version, const SocketCall& call);

/// Ends the accounting of a call whose loop was handed over, and lets go of the version: it may be gone when this
/// returns. Every result with kept_loop == false needs it, after the answer was copied.
void detached_call_done(Retirer& retirer, ModuleVersion& version);

/// Lets go of the version after a call that kept its loop: the answer has been copied.
void call_done(Retirer& retirer, ModuleVersion& version);

/// How a call that somebody waits for ended.
struct WaitedCall {
  enum class Ending {
    returned,
    stopped,    ///< by a fault, by its deadline, or by the module (exit, abort)
    overdue,    ///< still running: it is in a library or waits for a lock. The version lives on until it returns
    no_thread,  ///< not called: all threads are busy
    no_share,   ///< not called: the module has all threads that it may have
  };
  Ending ending = Ending::returned;
  FaultRecord fault;  ///< of `stopped`, and of `overdue`: where it was seen last
};

/// A constructor, onload or unload, and how it takes its parameters.
class LoadFunction {
 public:
  LoadFunction(void (*function)()) : function_(function) {}
  LoadFunction(void* function, CallShape shape) : function_(reinterpret_cast<void (*)()>(function)), shape_(shape) {}
  void operator()(cweb_context& context) const;

 private:
  void (*function_)();
  CallShape shape_ = CallShape::documented;
};

/// Calls `function` of `version` on this thread, which must be one of SpareThreads': `returned` or `stopped`. It takes
/// longer than the deadline when it cannot be ended. The caller has a thread of the module's share for it.
WaitedCall call_on_this_thread(DeadlineWatch& deadlines, ModuleVersion& version, LoadFunction function,
                               std::chrono::milliseconds deadline);

/// Of a call that is overdue and could not be ended: where it was seen last, as the fault to be reported.
void note_stuck(const CallingThread& thread, uint64_t call, std::chrono::nanoseconds deadline, FaultRecord& fault);

/// Calls `function` on a spare thread and waits until it returns or the deadline
/// comes. Not for loop threads: it blocks. It is one of the module's threads while it runs.
WaitedCall call_and_wait(SpareThreads& threads, DeadlineWatch& deadlines, const std::shared_ptr<ModuleVersion>& version,
                         LoadFunction function, std::chrono::milliseconds deadline);

}  // namespace cweb::runtime
