// The names of the host that module code may link to: the functions behind cweb.h, and cweb's replacements for the libc
// functions that would otherwise act on the server (malloc family, exit, signal, close, pthread_create, ...).
#pragma once

#include <span>

#include "runtime/code_image.h"

namespace cweb::runtime {

/// Constant for the life of the process.
std::span<const HostSymbol> host_symbols();

/// Lets the libraries that modules share do now what they would do at first use: read their configuration, open their
/// source of random numbers. Gives jansson the modules' malloc. Once, before the first deploy.
void set_up_host_libraries();

}  // namespace cweb::runtime
