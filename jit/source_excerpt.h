// cweb's own messages in the form that Clang prints its messages in.
#pragma once

#include <string>
#include <string_view>

#include "jit/compiler.h"

namespace cweb::jit {

/// An error of cweb's at a place in the module's source.
Diagnostic error_at(SourcePosition position, std::string message);

/// "note", "warning" or "error".
const char* to_string(Diagnostic::Severity severity);

/// "module.c:3:10: error: ..." with the source line and a caret; without a position, "error: ...".
std::string rendered_in_source(const Diagnostic& diagnostic, std::string_view source);

}  // namespace cweb::jit
