// An AST consumer that runs ahead of the code generator: cweb's own rules about a module's source, and the facts that
// the rest of the server wants to know of it.
#pragma once

#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/SmallPtrSet.h>

#include "jit/compiler.h"
#include "jit/module_errors.h"
#include "runtime/code_image.h"

namespace cweb::jit {

/// What one compile leaves behind. Written by the inspector, read when the compile is over.
struct Inspection {
  ModuleFacts facts;
  bool only_config_is_wrong = false;
  int64_t parsed_at_ns = 0;  ///< monotonic; when the whole source had been parsed
};

class Inspector final : public clang::ASTConsumer {
 public:
  Inspector(clang::DiagnosticsEngine& diagnostics, const CompileLimits& limits, Inspection& result)
      : errors_(diagnostics), limits_(limits), result_(result) {}

  void Initialize(clang::ASTContext& context) override { context_ = &context; }
  /// False ends the compile before the code generator sees the declarations: what it would do with them is the harm.
  bool HandleTopLevelDecl(clang::DeclGroupRef group) override;
  void HandleTranslationUnit(clang::ASTContext& context) override;

 private:
  class Walk;

  void refuse(clang::SourceLocation location, const std::string& message);
  void note_config(const clang::Decl& declaration);
  void check_main(const clang::Decl& declaration);
  void check_asm(clang::SourceLocation location, llvm::StringRef text);
  void check_asm_label(const clang::Decl& declaration);
  void check_variable(const clang::VarDecl& variable);
  void check_static_bytes(clang::SourceLocation location, clang::QualType type, const std::string& what);
  void note_use(const clang::ValueDecl& used, clang::SourceLocation location);
  void collect_external_uses();

  clang::ASTContext* context_ = nullptr;
  ModuleErrors errors_;
  const CompileLimits& limits_;
  Inspection& result_;
  bool stop_ = false;
  const clang::NamedDecl* config_ = nullptr;  ///< the last declaration of `config` at file scope
  uint64_t static_bytes_ = 0;
  llvm::SmallPtrSet<const clang::Decl*, 32> counted_;
  /// First use of every function and object with linkage, in the order of the source.
  llvm::MapVector<const clang::ValueDecl*, SourcePosition> uses_;
};

}  // namespace cweb::jit
