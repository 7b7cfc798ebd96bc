// cweb's own messages about a source, in the form that Clang prints its messages in, so that editors find the place.
#pragma once

#include <string>
#include <string_view>

#include "jit/compiler.h"

namespace cweb::mgnt {

/// An error of cweb's at a place in the module's source.
jit::Diagnostic error_at(SourcePosition position, std::string message);

/// "module.c:3:5: error: ..." with the source line and a caret. Without a position only the message.
std::string diagnostic_text(const jit::Diagnostic& diagnostic, std::string_view source);

const char* to_string(jit::Diagnostic::Severity severity);

}  // namespace cweb::mgnt
