// cweb's own messages in the form that Clang prints its messages in.
#pragma once

#include <string>
#include <string_view>

#include "jit/compiler.h"

namespace cweb::jit {

/// "module.c:3:10: error: ..." with the source line and a caret; without a position, "error: ...".
std::string rendered_in_source(const Diagnostic& diagnostic, std::string_view source);

}  // namespace cweb::jit
