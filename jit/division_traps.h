// Divisions by what is known to be zero when a module is compiled. C leaves them undefined, and LLVM makes any number
// of them; a module's call is to end there as it does where the processor divides by zero.
#pragma once

#include <llvm/IR/Module.h>

namespace cweb::jit {

/// Before anything else is done to the module. Clang has put a check before each division (compiler_arguments): from
/// here on it is one of those alone whose divisor the optimiser finds out, each with a trap of its own, on its line.
/// The processor sees to the others, and nothing of their checks is left in the code.
void keep_checks_of_known_divisors(llvm::Module& module);

}  // namespace cweb::jit
