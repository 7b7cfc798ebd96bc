#include "runtime/fault_sink.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <atomic>

#include "base/log.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

std::atomic<FaultSink*> the_sink{nullptr};

std::string_view access(const FaultRecord& fault) {
  return fault.executes ? "call of" : fault.writes ? "write to" : "read from";
}

std::string describe_access(const FaultRecord& fault) {
  using Place = FaultRecord::Place;
  switch (fault.place) {
    case Place::stack_guard:
      return "stack overflow";
    case Place::response_guard:
      return fmt::format("{} past res->body, {} bytes", fault.writes ? "wrote" : "read", 8192);
    case Place::no_block:
      return fmt::format("{}() was given an address that is not a block of memory", fault.reason);
    case Place::near_null:
      return fault.address == 0
                 ? fmt::format("null pointer: {} address 0", access(fault))
                 : fmt::format("null pointer: {} address {:#x}, a member or element of what is not there",
                               access(fault), fault.address);
    case Place::elsewhere:
      break;
  }
  if (fault.signal == SIGSEGV && fault.code == SI_KERNEL) return "wild pointer: the address is none that can exist";
  if (fault.signal == SIGBUS)
    return fmt::format("{} address {:#x}, which has no memory behind it", access(fault), fault.address);
  if (fault.executes) return fmt::format("call of address {:#x}, where there is no code", fault.address);
  return fault.code == SEGV_ACCERR
             ? fmt::format("{} address {:#x}, which does not allow it", access(fault), fault.address)
             : fmt::format("{} address {:#x}, where there is no memory", access(fault), fault.address);
}

std::string describe_signal(const FaultRecord& fault) {
  switch (fault.signal) {
    case SIGSEGV:
    case SIGBUS:
      return describe_access(fault);
    case SIGFPE:
      return fault.code == FPE_INTDIV ? "division by zero, or a quotient that does not fit"
                                      : fmt::format("arithmetic fault (code {})", fault.code);
    case SIGILL:
      return "__builtin_trap, code that C says is never reached, or an instruction that does not exist";
    case SIGTRAP:
      return "breakpoint instruction";
    case SIGABRT:
      return "a library called abort()";
    default:
      return fmt::format("signal {}", fault.signal);
  }
}

}  // namespace

void set_fault_sink(FaultSink* sink) {
  the_sink.store(sink, std::memory_order_release);
}

std::string describe_fault(const FaultRecord& fault, const ModuleVersion& version) {
  switch (fault.kind) {
    case FaultRecord::Kind::none:
      break;
    case FaultRecord::Kind::stopped:
      return fault.reason;
    case FaultRecord::Kind::signal: {
      const char* const name = sigabbrev_np(fault.signal);
      return fmt::format("{} (SIG{})", describe_signal(fault), name == nullptr ? "?" : name);
    }
    case FaultRecord::Kind::deadline:
      return fmt::format("deadline of {} s",
                         static_cast<double>(fault.deadline_ns != 0 ? fault.deadline_ns : version.deadline_ns) / 1e9);
  }
  return "no fault";
}

FaultAnswer report_fault(const std::shared_ptr<ModuleVersion>& version, const FaultRecord& fault,
                         const FaultContext& context) {
  if (FaultSink* const sink = the_sink.load(std::memory_order_acquire)) {
    return sink->took_place(version, fault, context);
  }
  FaultAnswer answer;
  answer.sentence = describe_fault(fault, *version);
  answer.body = "the module has failed: see the server's log\n";
  if (fault.kind == FaultRecord::Kind::deadline) answer.status = 504;
  log::error("module {} version {}: {}: {}", version->config.name, version->number, context.call, answer.sentence);
  return answer;
}

}  // namespace cweb::runtime
