// cweb's own rules speak through Clang's diagnostics, so that they come with file, line and caret and stop the compile.
#pragma once

#include <clang/Basic/Diagnostic.h>

#include <string>

namespace cweb::jit {

class ModuleErrors {
 public:
  /// Which step of a deploy a fault belongs to: the C itself, or what `config` says.
  enum class Stage { compile, config };

  explicit ModuleErrors(clang::DiagnosticsEngine& diagnostics) : diagnostics_(diagnostics) {}

  void error(Stage stage, clang::SourceLocation location, const std::string& message, clang::SourceRange range = {}) {
    (stage == Stage::config ? config_errors_ : compile_errors_) += 1;
    diagnostics_.Report(location, diagnostics_.getCustomDiagID(clang::DiagnosticsEngine::Error, "%0"))
        << message << range;
  }

  /// Belongs to the error before it.
  void note(clang::SourceLocation location, const std::string& message) {
    diagnostics_.Report(location, diagnostics_.getCustomDiagID(clang::DiagnosticsEngine::Note, "%0")) << message;
  }

  /// Has Clang, or a rule, found any error?
  bool any() const { return diagnostics_.hasErrorOccurred(); }
  /// Has one been found that leaves holes in the AST? (A warning that counts as an error leaves none.)
  bool any_unrecoverable() const { return diagnostics_.hasUnrecoverableErrorOccurred(); }
  /// Is `config` what is wrong?
  bool only_config() const { return config_errors_ > 0 && compile_errors_ == 0; }

 private:
  clang::DiagnosticsEngine& diagnostics_;
  int config_errors_ = 0;
  int compile_errors_ = 0;
};

}  // namespace cweb::jit
