// The one place that calls module code. Whatever guards a call (who is inside which version, hand-over of a loop whose
// handler blocks, deadlines, faults) is put around it here and nowhere else.
#pragma once

#include <chrono>
#include <memory>

#include "runtime/code_image.h"

struct http_request;
struct http_response;

namespace cweb::runtime {

class LoopGate;
class ModuleVersion;
class SpareThreads;

/// What a handler said.
struct CallResult {
  int value = 0;
  /// False: the loop was handed to another thread while the handler ran. The caller no longer owns anything of the loop
  /// but the call itself, and must post its answer.
  bool kept_loop = true;
};

/// Calls a route handler on the thread that owns the loop behind `gate`. `version` must come from the route table that
/// the loop holds now.
CallResult call_handler(LoopGate& gate, ModuleVersion& version, void* handler, http_request& request,
                        http_response& response);

/// How a call that somebody waits for ended.
enum class WaitedCall {
  returned,
  overdue,  ///< still running when the deadline came: the version must be kept until it returns
};

/// Calls `function` (a constructor, onload or unload) on a spare thread and waits until it returns or the deadline
/// comes. Not for loop threads: it blocks.
WaitedCall call_and_wait(SpareThreads& threads, const std::shared_ptr<ModuleVersion>& version, void (*function)(),
                         std::chrono::milliseconds deadline);

}  // namespace cweb::runtime
