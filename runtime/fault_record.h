// What is known of a fault when it happens. Plain data of fixed size: it is filled in by a signal handler.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cweb::runtime {

struct FaultRecord {
  enum class Kind : uint8_t {
    none,
    stopped,   ///< the module ended the call itself (exit, abort, a double free): `reason` says how
    signal,    ///< the processor refused an instruction
    deadline,  ///< the call took longer than it may
  };
  /// What the address says about the cause, where it says anything.
  enum class Place : uint8_t {
    elsewhere,
    near_null,
    no_block,       ///< given to the function of memory that `reason` names, and no block
    stack_guard,    ///< below the thread's stack: it has overflowed
    response_guard  ///< right behind the buffer that res->body points to
  };

  Kind kind = Kind::none;
  Place place = Place::elsewhere;
  bool writes = false;          ///< of SIGSEGV and SIGBUS: the access was a write
  bool executes = false;        ///< the access was a fetch of an instruction: a call or jump to no code
  bool outside_module = false;  ///< in no module's code: something of the library that was called may be half done
  int signal = 0;
  int code = 0;           ///< si_code
  uintptr_t address = 0;  ///< si_addr
  struct Frame {
    uintptr_t pc = 0;
    uint64_t version = 0;  ///< whose code it is, by its id
  };
  /// Program counters inside the code of modules, innermost first. Those of callers lie within the call instruction.
  std::array<Frame, 64> frames{};
  size_t frame_count = 0;
  size_t frames_left_out = 0;  ///< further ones, of a deep recursion
  char reason[256] = {};       ///< of `stopped`: one sentence; of `no_block`: a function's name
  int64_t deadline_ns = 0;     ///< of `deadline`: how long the call was given; 0: what its version gives each
};

}  // namespace cweb::runtime
