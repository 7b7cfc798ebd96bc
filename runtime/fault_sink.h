// Who is told of faults. The runtime sees them first; what becomes of them (a report, a restart) is decided above it.
#pragma once

#include <memory>
#include <string>

#include "runtime/fault_record.h"

namespace cweb::runtime {

class ModuleVersion;

/// What was being called when a fault happened.
struct FaultContext {
  std::string call;     ///< "GET /crash", "on_message of /chat", "onload", "a thread of its own"
  std::string request;  ///< lines of text without secrets: the request, or the start of the message; may be empty
  std::string accept;   ///< the request's Accept header; may be empty
};

/// What whoever made the call is to be told.
struct FaultAnswer {
  int status = 500;      ///< 504 for a call that took too long
  std::string id;        ///< by which the report is found in the log
  std::string sentence;  ///< what happened and where, without a line end
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class FaultSink {
 public:
  virtual ~FaultSink() = default;
  /// After a fault in `version`. Takes milliseconds, and may run the onload of a fresh instance: not for a loop's
  /// thread. Any other thread, several at a time.
  virtual FaultAnswer took_place(const std::shared_ptr<ModuleVersion>& version, const FaultRecord& fault,
                                 const FaultContext& context) = 0;
};

/// Of the process; null: faults are only logged. Outlives all calls.
void set_fault_sink(FaultSink* sink);

/// Tells the sink, or the log when there is none.
FaultAnswer report_fault(const std::shared_ptr<ModuleVersion>& version, const FaultRecord& fault,
                         const FaultContext& context);

/// "null pointer: write to address 0", "the module called exit(7)": what a record says without its lines.
std::string describe_fault(const FaultRecord& fault, const ModuleVersion& version);

}  // namespace cweb::runtime
