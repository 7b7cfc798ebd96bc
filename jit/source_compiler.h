// The compiler itself: one object, one thread, warm between calls. Used by the helper process and by
// compile_in_process; both put their own bounds around it.
#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "jit/compiler.h"

namespace cweb::jit {

/// Not thread-safe: one thread at a time, with a stack of at least compile_stack_bytes.
class SourceCompiler {
 public:
  virtual ~SourceCompiler() = default;

  /// Reads the include directories into memory; opens no file after that.
  static Expected<std::unique_ptr<SourceCompiler>> create(const CompilerOptions& options);

  /// Compiles a small module with each common preamble, so that the first real one is fast.
  virtual void warm_up() = 0;

  virtual std::expected<Compilation, CompileFailure> compile(std::string_view source) = 0;

  /// Work that makes the next compile of such a source faster: up to some tens of milliseconds. Call it when the answer
  /// to the last compile is on its way; leaving it out costs speed alone.
  virtual void prepare_next() = 0;
};

/// Clang and LLVM recurse over the source: deep expressions need a deep stack.
inline constexpr size_t compile_stack_bytes = size_t{256} << 20;

}  // namespace cweb::jit
