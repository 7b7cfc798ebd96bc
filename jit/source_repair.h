// `curl -d @module.c` deletes every newline of the file. What can be put back without guessing is put back.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cweb::jit {

/// Does this body look like a C file that lost its newlines on the way? Only ask for bodies that came as
/// application/x-www-form-urlencoded.
bool lost_its_newlines(std::string_view source);

/// Puts newlines around every #include. Fails with a sentence that names the ways that work (--data-binary, -F, -T)
/// where a newline mattered and cannot be known: a // comment, another directive, a backslash.
Expected<std::string> restore_newlines(std::string_view source);

}  // namespace cweb::jit
