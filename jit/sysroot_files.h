// The file system that the compiler sees: embedded headers and what --include opened. It has no way to the disk, so no
// #include, #embed or __has_include of a module can read or even probe a file of the machine.
#pragma once

#include <llvm/ADT/IntrusiveRefCntPtr.h>
#include <llvm/Support/VirtualFileSystem.h>

#include "jit/include_dirs.h"

namespace cweb::jit {

/// The directory a module seems to lie in; #include "x.h" is looked up there first.
inline constexpr const char* module_directory = "/module";
inline constexpr const char* cweb_header_directory = "/cweb";
inline constexpr const char* clang_header_directory = "/usr/lib/clang";

/// `include_dirs` outlives the result, which points into it.
llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> sysroot_files(const IncludeDirs& include_dirs);

}  // namespace cweb::jit
