// The facts of a module as JSON text, for whoever keeps a compilation. Pure; any thread.
#pragma once

#include <string>

#include "base/error.h"
#include "runtime/code_image.h"

namespace cweb::jit {

std::string encode_facts(const ModuleFacts& facts);
Expected<ModuleFacts> decode_facts(const std::string& text);

}  // namespace cweb::jit
