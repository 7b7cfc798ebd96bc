// How modules are compiled: the arguments of Clang's own front end, parsed once.
#pragma once

#include <clang/Basic/TargetInfo.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <llvm/ADT/IntrusiveRefCntPtr.h>

#include <memory>
#include <string>
#include <vector>

namespace cweb::jit {

/// The name under which Clang knows the module's source.
inline constexpr const char* module_file = "module.c";

/// The arguments as text, the processor's name and features among them.
std::vector<std::string> compiler_arguments(const std::vector<std::string>& include_directories);

/// `include_directories` are searched after cweb's own headers and before the C library's.
std::unique_ptr<clang::CompilerInvocation> compiler_invocation(const std::vector<std::string>& include_directories);

/// The processor and system as Clang's front end sees them; compiles do not change it.
llvm::IntrusiveRefCntPtr<clang::TargetInfo> compiler_target(const clang::CompilerInvocation& invocation);

}  // namespace cweb::jit
