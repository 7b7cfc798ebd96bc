// What the current thread is doing for modules: which version's code it is inside. The functions that module code calls
// (host_symbols) find the version's heap and thread-local storage here.
#pragma once

#include <cstdint>

namespace cweb::runtime {

class ModuleVersion;

/// The version whose code this thread is inside, or null. Set by runtime/invoke alone.
ModuleVersion* current_version();

}  // namespace cweb::runtime
