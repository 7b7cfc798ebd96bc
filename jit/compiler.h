// C source text -> object code, facts and diagnostics. Compilers are made here; nothing of LLVM shows.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runtime/code_image.h"

namespace cweb::jit {

/// One message of the compiler, or of cweb in the compiler's form.
struct Diagnostic {
  enum class Severity { note, warning, error };
  /// A replacement that would mend it: [begin, end) becomes `text`.
  struct FixIt {
    SourcePosition begin, end;
    std::string text;
  };
  Severity severity = Severity::error;
  SourcePosition position;
  std::string file = "module.c";  ///< "module.c", or the header's name
  std::string message;
  std::string option;  ///< the warning's option, "-Wunused-variable"; empty for errors
  std::vector<FixIt> fixits;
};

/// Milliseconds by step, as the compile helper measured them.
struct CompileTimings {
  double front_end_ms = 0;  ///< preprocess, parse, check
  double back_end_ms = 0;   ///< optimise, emit
  double total_ms = 0;      ///< everything inside the compiler
};

struct Compilation {
  std::string object;  ///< ELF relocatable object
  ModuleFacts facts;
  std::vector<Diagnostic> diagnostics;  ///< warnings and their notes
  std::string rendered;                 ///< the same as Clang prints them, with source line and caret, no colour
  CompileTimings timings;
};

struct CompileFailure {
  enum class Kind {
    rejected,     ///< the source is at fault; trying again gives the same
    unavailable,  ///< the compiler is at fault (killed, could not be started); trying again may work
  };
  Kind kind = Kind::rejected;
  /// "compile", or "config" when it compiles but `config` is not what it must be.
  std::string stage = "compile";
  std::string rendered;  ///< what to show a person: as Clang prints it, or one sentence
  std::vector<Diagnostic> diagnostics;
};

/// Bounds on one compile. Reaching one is a rejected source and the answer names it.
struct CompileLimits {
  std::chrono::milliseconds wall{10'000};
  std::chrono::seconds cpu{8};
  size_t memory_bytes = size_t{2} << 30;        ///< address space of the helper beyond what it has when idle
  size_t static_data_bytes = size_t{64} << 20;  ///< of one object of static storage, and of all together
  size_t source_bytes = size_t{4} << 20;
};

struct CompilerOptions {
  CompileLimits limits;
  int helpers = 2;  ///< helper processes; at least 2, so that one is warm while another is replaced
  /// Does starting return only when something can be compiled at once? Else helpers start a little later, out of the
  /// way of more urgent work, and the first compiles wait.
  bool wait_until_warm = true;
  /// Real directories whose headers modules may include; read into memory at start.
  std::vector<std::string> include_dirs;
};

/// Thread-safe: calls run in parallel up to the number of helpers and wait their turn beyond.
class Compiler {
 public:
  virtual ~Compiler() = default;
  /// A pure function of text and options. Blocks the caller.
  virtual std::expected<Compilation, CompileFailure> compile(std::string_view source) = 0;
  /// Process ids of the helpers that are up now; empty when compiling in process.
  virtual std::vector<pid_t> helper_pids() const = 0;
  /// Helpers that were started in the place of others that had ended.
  virtual uint64_t helper_restarts() const { return 0; }
};

/// Starts the helpers (this binary again, `cweb compile-helper`) and returns once one is warm. Call before the process
/// has threads: what the helpers inherit is then only what they need.
Expected<std::unique_ptr<Compiler>> start_compile_helpers(const CompilerOptions& options);

/// The same compiler on a big-stack thread of this process: no second process, and no bound that the kernel enforces.
Expected<std::unique_ptr<Compiler>> compile_in_process(const CompilerOptions& options);

/// What besides its source the object code of a module depends on, as text: this build of cweb with its headers, LLVM's
/// and Clang's builds, arguments with the processor and its features, limits, and the content of the include
/// directories. Equal texts, equal code. Reads the include directories.
Expected<std::string> compiler_fingerprint(const CompilerOptions& options);

/// main() of the helper process: serves compile requests on the socket `fd` until the peer closes it. Returns the
/// exit code.
int compile_helper_main(int fd);

}  // namespace cweb::jit
