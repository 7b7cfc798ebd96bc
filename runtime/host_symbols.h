// The names of the host that module code may link to: the functions behind cweb.h, and cweb's replacements for the libc
// functions that would otherwise act on the server (malloc family, exit, signal, close, pthread_create, ...).
#pragma once

#include <span>

#include "runtime/code_image.h"

namespace cweb::runtime {

/// Constant for the life of the process.
std::span<const HostSymbol> host_symbols();

}  // namespace cweb::runtime
