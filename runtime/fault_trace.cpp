#include "runtime/fault_trace.h"

#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <unwind.h>

#include <cstring>

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

void add_frame(FaultRecord& record, uintptr_t pc) {
  if (record.frame_count < record.frames.size()) {
    record.frames[record.frame_count++] = pc;
  } else {
    ++record.frames_left_out;
  }
}

/// Not checked by the address sanitizer: what lies between the variables of the server's own frames is read as well.
__attribute__((no_sanitize("address"))) uintptr_t word_at(uintptr_t address) {
  return *reinterpret_cast<const uintptr_t*>(address);
}

/// Is there an instruction before this address that calls, so that it can be where a call returns to?
bool follows_a_call(const CodeImage& image, uintptr_t address) {
  constexpr uintptr_t longest = 7;
  if (!image.contains(reinterpret_cast<const void*>(address - longest))) return false;
  const auto* const at = reinterpret_cast<const unsigned char*>(address);
  if (at[-5] == 0xe8) return true;
  for (int length = 2; length <= 7; ++length) {
    if (at[-length] == 0xff && (at[1 - length] & 0x38) == 0x10) return true;
  }
  return false;
}

/// A library function stands between two of the module's (qsort and its comparison): it keeps no frame pointers. The
/// next word of the stack that can be a return address into the module is where it goes on.
uintptr_t next_return_address(const CodeImage& image, uintptr_t& at) {
  constexpr int farthest_words = 4096;
  for (int i = 0; i < farthest_words && on_stack(at); ++i, at += sizeof(uintptr_t)) {
    const uintptr_t word = word_at(at);
    if (image.contains(reinterpret_cast<const void*>(word)) && follows_a_call(image, word)) return word;
  }
  return 0;
}

/// The module's callers, by its frame pointers. What the chain says is checked: a fault may have followed a smashed
/// stack.
void trace_callers(FaultRecord& record, const CodeImage& image, uintptr_t fp) {
  constexpr int most_frames = 1'000'000;
  bool in_module = true;
  for (int i = 0; i < most_frames && on_stack(fp); ++i) {
    uintptr_t next = word_at(fp);
    uintptr_t back = word_at(fp + sizeof(uintptr_t));
    in_module = image.contains(reinterpret_cast<const void*>(back));
    if (!in_module) {
      uintptr_t at = fp + 2 * sizeof(uintptr_t);
      back = next_return_address(image, at);
      if (back == 0) return;
      add_frame(record, back - 1);
      // The frame that this return leads to is somewhere above: its pointer was saved by the library, or not at all.
      next = next > at ? next : 0;
    } else {
      add_frame(record, back - 1);
    }
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
uintptr_t return_of_entry(const CodeImage& image, const Registers& at) {
  const auto* const code = reinterpret_cast<const unsigned char*>(at.pc);
  uintptr_t slot = 0;
  if (code[0] == push_fp || is_jump_to_library(code)) slot = at.sp;
  if (code[0] == 0x48 && code[1] == 0x89 && code[2] == 0xe5) slot = at.sp + sizeof(uintptr_t);
  if (slot == 0 || !on_stack(slot)) return 0;
  const uintptr_t word = word_at(slot);
  return image.contains(reinterpret_cast<const void*>(word)) ? word : 0;
}

_Unwind_Reason_Code unwind_step(_Unwind_Context* context, void* given) {
  constexpr int most_steps = 200;
  constexpr int frame_pointer_register = 6;  // of DWARF for x86-64
  auto& unwinding = *static_cast<Unwinding*>(given);
  int before_instruction = 0;
  const uintptr_t pc = _Unwind_GetIPInfo(context, &before_instruction);
  unwinding.in_allocator |= allocator_code.contains(pc);
  if (unwinding.image.contains(reinterpret_cast<const void*>(pc))) {
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
Unwinding trace_through_libraries(FaultRecord& record, const CodeImage& image) {
  Unwinding unwinding{image};
  _Unwind_Backtrace(unwind_step, &unwinding);
  if (unwinding.pc == 0) return unwinding;
  add_frame(record, unwinding.pc);
  trace_callers(record, image, unwinding.fp);
  return unwinding;
}

Unwinding trace(FaultRecord& record, const Registers& at) {
  const CodeImage& image = current_version()->image();
  record.frame_count = record.frames_left_out = 0;
  // The module's data are no code of its, though they lie within its image.
  if (!record.executes && image.contains(reinterpret_cast<const void*>(at.pc))) {
    record.outside_module = false;
    const uintptr_t back = return_of_entry(image, at);
    // The jump is no line's. A breakpoint is told of when it has been executed.
    if (back == 0 || !is_jump_to_library(reinterpret_cast<const unsigned char*>(at.pc))) {
      add_frame(record, record.signal == SIGTRAP ? at.pc - 1 : at.pc);
    }
    if (back != 0) add_frame(record, back - 1);
    trace_callers(record, image, at.fp);
    return Unwinding{image};
  }
  record.outside_module = !record.executes;
  if (record.executes && on_stack(at.sp) && image.contains(reinterpret_cast<const void*>(word_at(at.sp)))) {
    // A call of what is no code: the return address is the last thing that was pushed.
    add_frame(record, word_at(at.sp) - 1);
    trace_callers(record, image, at.fp);
    return Unwinding{image};
  }
  return trace_through_libraries(record, image);
}

}  // namespace cweb::runtime
