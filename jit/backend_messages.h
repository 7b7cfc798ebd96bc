// What LLVM has to say while it optimises and generates code, told as Clang tells its own messages: at the place in the
// source that the instruction came from.
#pragma once

#include <clang/Basic/Diagnostic.h>
#include <clang/Basic/SourceManager.h>
#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>

namespace cweb::jit {

/// Set on the context of the module that is compiled. `diagnostics` outlives it.
class BackendMessages final : public llvm::DiagnosticHandler {
 public:
  explicit BackendMessages(clang::DiagnosticsEngine& diagnostics) : diagnostics_(diagnostics) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override;

 private:
  void report(const llvm::DiagnosticInfoSrcMgr& info);
  void report(const llvm::DiagnosticInfoInlineAsm& info);
  void report(const llvm::DiagnosticInfoDontCall& info);
  void report(const llvm::DiagnosticInfoOptimizationFailure& info);
  void report(const llvm::DiagnosticInfoUnsupported& info);
  void report_other(const llvm::DiagnosticInfo& info);
  clang::SourceLocation place_of(const llvm::DiagnosticInfoWithLocationBase& info);
  clang::FullSourceLoc place_in_assembly(const llvm::SMDiagnostic& message);

  clang::DiagnosticsEngine& diagnostics_;
};

}  // namespace cweb::jit
