#include "runtime/fault_trace.h"

#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <unwind.h>

#include <cstring>

#include "runtime/code_map.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "runtime/module_version.h"

namespace cweb::runtime {
namespace {

thread_local Range thread_stack;
Range allocator_code;  // written once, at set-up

/// The code of the library that malloc comes from, when it is one of its own (jemalloc). A fault there is only claimed
/// where it is known that no lock is held.
Range code_of_allocator() {
  Range code;
  dl_iterate_phdr(
      [](dl_phdr_info* library, size_t, void* given) {
        if (std::strstr(library->dlpi_name, "jemalloc") == nullptr) return 0;
        for (int i = 0; i < library->dlpi_phnum; ++i) {
          const auto& part = library->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
          *static_cast<Range*>(given) = {library->dlpi_addr + part.p_vaddr,
                                         library->dlpi_addr + part.p_vaddr + part.p_memsz};
        }
        return 1;
      },
      &code);
  return code;
}

/// Whose code an address is, while one call is traced. Most is the called version's, then that of one other.
class ModuleCode {
 public:
  ModuleCode() : called_(*current_version()) {}

  /// The version's id; 0: it is no module's.
  uint64_t owner(uintptr_t address) {
    if (called_.image().contains(reinterpret_cast<const void*>(address))) return called_.id();
    if (other_.contains(address)) return other_.version;
    if (is_narrowed_) return 0;
    const CodeOwner found = find_code(address);
    if (found.version != 0) other_ = found;
    return found.version;
  }
  bool contains(uintptr_t address) { return owner(address) != 0; }

  /// From here on code counts that is the called version's, or that of the version whose code `pc` is. The first time
  /// is for good.
  void narrow_to(uintptr_t pc) {
    if (!is_narrowed_ && owner(pc) != other_.version) other_ = {};
    is_narrowed_ = true;
  }

 private:
  const ModuleVersion& called_;
  CodeOwner other_;
  bool is_narrowed_ = false;
};

void add_frame(FaultRecord& record, ModuleCode& code, uintptr_t pc) {
  if (record.frame_count < record.frames.size()) {
    record.frames[record.frame_count++] = {pc, code.owner(pc)};
  } else {
    ++record.frames_left_out;
  }
}

/// Not checked by the address sanitizer: what lies between the variables of the server's own frames is read as well.
__attribute__((no_sanitize("address"))) uintptr_t word_at(uintptr_t address) {
  return *reinterpret_cast<const uintptr_t*>(address);
}

/// Is there an instruction before this address that calls, so that it can be where a call returns to?
bool follows_a_call(ModuleCode& code, uintptr_t address) {
  constexpr uintptr_t longest = 7;
  if (!code.contains(address - longest)) return false;
  const auto* const at = reinterpret_cast<const unsigned char*>(address);
  if (at[-5] == 0xe8) return true;
  for (int length = 2; length <= 7; ++length) {
    if (at[-length] == 0xff && (at[1 - length] & 0x38) == 0x10) return true;
  }
  return false;
}

/// Are two words there the call's? The server's own frames have addresses of modules in them, too.
bool in_call(uintptr_t address) {
  const RecoveryPoint* const point = recovery_point();
  return on_stack(address) && (point == nullptr || address < point->stack_end);
}

/// A library function stands between two of a module's (qsort and its comparison): it keeps no frame pointers. The
/// next word of the stack that can be a return address into a module is where it goes on.
uintptr_t next_return_address(ModuleCode& code, uintptr_t& at) {
  constexpr int farthest_words = 4096;
  for (int i = 0; i < farthest_words && in_call(at); ++i, at += sizeof(uintptr_t)) {
    const uintptr_t word = word_at(at);
    if (code.contains(word) && follows_a_call(code, word)) return word;
  }
  return 0;
}

/// The first of the frames that are linked from `fp` on which lies beyond `at`; 0: there is none.
uintptr_t next_frame_beyond(uintptr_t at, uintptr_t fp) {
  while (fp != 0 && fp <= at) {
    const uintptr_t next = in_call(fp) ? word_at(fp) : 0;
    fp = next > fp ? next : 0;
  }
  return fp;
}

/// The callers in modules, from the frame of the function that `pc` is in, by their frame pointers. What the chain says
/// is checked: a fault may have followed a smashed stack.
void trace_callers(FaultRecord& record, ModuleCode& code, uintptr_t pc, uintptr_t fp) {
  constexpr int most_frames = 1'000'000;
  for (int i = 0; i < most_frames && in_call(fp); ++i) {
    uintptr_t next = word_at(fp);
    uintptr_t back = word_at(fp + sizeof(uintptr_t));
    if (!code.contains(back)) {
      // From here on it is a guess. Earlier calls have left frames between those of the library, and other modules'
      // must not be taken for callers.
      code.narrow_to(pc);
      uintptr_t at = fp + 2 * sizeof(uintptr_t);
      back = next_return_address(code, at);
      if (back == 0) return;
      // The frame that this return leads to is somewhere above: its pointer was saved by the library, or not at all.
      next = next_frame_beyond(at, next);
    }
    pc = back - 1;
    add_frame(record, code, pc);
    if (next <= fp) return;
    fp = next;
  }
}

constexpr unsigned char push_fp = 0x55;
bool is_jump_to_library(const unsigned char* code) {
  return code[0] == 0xff && code[1] == 0x25;
}

/// Where a function is entered, or the module jumps to a library's, there is no frame yet: who has called is told by
/// the top of the stack. 0: there is one.
uintptr_t return_of_entry(ModuleCode& code, const Registers& at) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(at.pc);
  uintptr_t slot = 0;
  if (bytes[0] == push_fp || is_jump_to_library(bytes)) slot = at.sp;
  if (bytes[0] == 0x48 && bytes[1] == 0x89 && bytes[2] == 0xe5) slot = at.sp + sizeof(uintptr_t);
  if (slot == 0 || !on_stack(slot)) return 0;
  const uintptr_t word = word_at(slot);
  return code.contains(word) ? word : 0;
}

struct Walk {
  ModuleCode& code;
  Unwinding unwinding;
};

_Unwind_Reason_Code unwind_step(_Unwind_Context* context, void* given) {
  constexpr int most_steps = 200;
  constexpr int frame_pointer_register = 6;  // of DWARF for x86-64
  auto& [code, unwinding] = *static_cast<Walk*>(given);
  int before_instruction = 0;
  const uintptr_t pc = _Unwind_GetIPInfo(context, &before_instruction);
  unwinding.in_allocator |= allocator_code.contains(pc);
  if (code.contains(pc)) {
    unwinding.pc = before_instruction != 0 ? pc : pc - 1;
    unwinding.fp = _Unwind_GetGR(context, frame_pointer_register);
    // What the unwinder calls this frame's address is where its stack stood before it called.
    unwinding.return_address = _Unwind_GetCFA(context) - sizeof(uintptr_t);
    unwinding.returns_to = pc;
    return _URC_NORMAL_STOP;
  }
  return ++unwinding.steps < most_steps ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

}  // namespace

void set_up_tracing() {
  void* frame[1];
  backtrace(frame, 1);
  allocator_code = code_of_allocator();
}

void set_traced_stack(Range stack) {
  thread_stack = stack;
}

const Range& traced_stack() {
  return thread_stack;
}

bool on_stack(uintptr_t address) {
  return address % sizeof(uintptr_t) == 0 && thread_stack.contains(address) &&
         thread_stack.contains(address + 2 * sizeof(uintptr_t) - 1);
}

Registers registers_of(const ucontext_t& context) {
  const auto get = [&](int index) { return static_cast<uintptr_t>(context.uc_mcontext.gregs[index]); };
  return {get(REG_RIP), get(REG_RSP), get(REG_RBP)};
}

/// Since glibc 2.35 the unwinder finds the tables without a lock.
Unwinding trace_through_libraries(FaultRecord& record) {
  ModuleCode code;
  Walk walk{code, {}};
  _Unwind_Backtrace(unwind_step, &walk);
  if (walk.unwinding.pc == 0) return walk.unwinding;
  add_frame(record, code, walk.unwinding.pc);
  trace_callers(record, code, walk.unwinding.pc, walk.unwinding.fp);
  return walk.unwinding;
}

Unwinding trace(FaultRecord& record, const Registers& at) {
  ModuleCode code;
  record.frame_count = record.frames_left_out = 0;
  // A module's data are no code of its, though they lie within its image.
  if (!record.executes && code.contains(at.pc)) {
    record.outside_module = false;
    const uintptr_t back = return_of_entry(code, at);
    // The jump is no line's. A breakpoint is told of when it has been executed.
    if (back == 0 || !is_jump_to_library(reinterpret_cast<const unsigned char*>(at.pc))) {
      add_frame(record, code, record.signal == SIGTRAP ? at.pc - 1 : at.pc);
    }
    if (back != 0) add_frame(record, code, back - 1);
    trace_callers(record, code, back != 0 ? back - 1 : at.pc, at.fp);
    return {};
  }
  record.outside_module = !record.executes;
  if (record.executes && on_stack(at.sp) && follows_a_call(code, word_at(at.sp))) {
    // A call of what is no code: the return address is the last thing that was pushed.
    add_frame(record, code, word_at(at.sp) - 1);
    trace_callers(record, code, word_at(at.sp) - 1, at.fp);
    return {};
  }
  return trace_through_libraries(record);
}

}  // namespace cweb::runtime
