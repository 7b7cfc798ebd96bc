// LLVM's half of a compile: optimises a module as -O2 does and writes its object file. What does not depend on the
// module is made once and kept, since for a small module it costs more than the module does: the target machine with
// what it knows of the processor, and the passes that generate code.
#pragma once

#include <clang/Frontend/CompilerInvocation.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

#include "base/error.h"

namespace cweb::jit {

/// Used by one SourceCompiler on its thread.
class ObjectEmitter {
 public:
  /// `features` as the front end's target has them: "+avx2", "-avx512f".
  static Expected<std::unique_ptr<ObjectEmitter>> create(const clang::CompilerInvocation& invocation,
                                                         const std::vector<std::string>& features);

  /// Optimises `module` in place and writes its object into `object`. What LLVM has to say goes to the diagnostic
  /// handler of the module's context.
  void emit(llvm::Module& module, llvm::SmallVectorImpl<char>& object);

  /// What the last emit() used up is made again. Before the next one, when nobody waits.
  void prepare_next();

 private:
  /// The passes from IR to object, bound to a buffer of their own. llc's -compile-twice is how LLVM tests that they can
  /// be run again.
  struct CodeGeneration {
    llvm::SmallVector<char, 0> object;
    llvm::raw_svector_ostream stream{object};
    llvm::legacy::PassManager passes;
  };

  explicit ObjectEmitter(const clang::CodeGenOptions& options) : options_(options) {}
  void make_target();
  void optimise(llvm::Module& module);
  std::unique_ptr<CodeGeneration> code_generation() const;

  const clang::CodeGenOptions options_;
  const llvm::Target* maker_ = nullptr;
  std::string triple_;
  std::string processor_;
  std::string features_;
  std::unique_ptr<llvm::TargetMachine> target_;
  int modules_since_target_ = 0;
  std::unique_ptr<CodeGeneration> code_generation_;  // uses the target
};

}  // namespace cweb::jit
