// Makes the compiler's file system. Built once by each SourceCompiler and only read afterwards.
#include "jit/sysroot_files.h"

#include <llvm/Support/MemoryBuffer.h>

#include "jit/sysroot/archive.h"

namespace cweb::jit {

llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> sysroot_files(const IncludeDirs& include_dirs) {
  auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
  // addFileNoOwn keeps the reference: the texts stay where they are, in the binary or in include_dirs.
  for (const EmbeddedHeader& header : embedded_headers()) {
    files->addFileNoOwn(header.path, 0, llvm::MemoryBufferRef(header.text, header.path));
  }
  for (const IncludedFile& file : include_dirs.files) {
    files->addFileNoOwn(file.path, 0, llvm::MemoryBufferRef(file.text, file.path));
  }
  files->setCurrentWorkingDirectory(module_directory);
  return files;
}

}  // namespace cweb::jit
