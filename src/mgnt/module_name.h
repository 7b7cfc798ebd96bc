// Reads a module's name off its text before anything is compiled, to know whose deploys must stay in order. A guess:
// the name that counts is the one in the linked image.
#pragma once

#include <string>
#include <string_view>

namespace cweb::mgnt {

/// The string of the first `.name = "..."` behind `config =`, or else of the first in the file; comments and strings
/// are skipped. Empty when there is none, or when it is not one plain string.
std::string guess_module_name(std::string_view source);

}  // namespace cweb::mgnt
