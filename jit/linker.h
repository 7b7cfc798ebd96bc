// Object bytes -> a CodeImage in this process, with the names that symbol_policy allows.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "jit/compiler.h"
#include "runtime/code_image.h"

namespace cweb::jit {

/// Why a module does not link; `rendered` is what to show, diagnostics point at the first use of each missing name.
struct LinkFailure {
  std::string rendered;
  std::vector<Diagnostic> diagnostics;
};

class Linker {
 public:
  virtual ~Linker() = default;

  /// `host` are the functions behind cweb.h and the replacements for libc's (runtime/host_symbols.h); they win over the
  /// libraries, and a module's own definitions win over them. The span and its names outlive the linker.
  /// `libraries` are offered behind them all: names that the loader looks for, or paths.
  static Expected<std::unique_ptr<Linker>> create(std::span<const HostSymbol> host,
                                                  const std::vector<std::string>& libraries = {});

  /// Any thread. The source text is used to print the line of a missing symbol's first use.
  virtual std::expected<std::unique_ptr<CodeImage>, LinkFailure> link(const Compilation& compilation,
                                                                      std::string_view source) = 0;
};

}  // namespace cweb::jit
