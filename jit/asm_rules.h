// Which inline assembly a module may hold. The assembler opens files itself, past the compiler's file system.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cweb::jit {

/// Why this asm text is refused, or nothing. Pure text.
std::optional<std::string> refused_asm(std::string_view text);

/// May a declaration carry this asm label? Operands print labels into asm text.
bool plain_asm_label(std::string_view label);

}  // namespace cweb::jit
