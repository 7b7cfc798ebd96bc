// Takes Clang's messages as they come: printed as Clang prints them, and as plain data.
#pragma once

#include <clang/Basic/Diagnostic.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <llvm/Support/raw_ostream.h>

#include <string>
#include <vector>

#include "jit/compiler.h"

namespace cweb::jit {

/// Messages of one compile, or of one preamble. Bounded: a source can provoke warnings without end.
struct Messages {
  std::string rendered;
  std::vector<Diagnostic> diagnostics;
};

class DiagnosticCollector final : public clang::DiagnosticConsumer {
 public:
  DiagnosticCollector();

  void BeginSourceFile(const clang::LangOptions& options, const clang::Preprocessor* preprocessor) override;
  void EndSourceFile() override;
  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) override;

  /// Messages that came earlier, when the module's preamble was compiled.
  void replay(const Messages& earlier);
  /// The closing line, "1 error generated." Clang's own would leave out what was replayed.
  void close();
  /// All messages, valid UTF-8 whatever the source held. `include_lines` says on which line of the source the #include
  /// lines of a precompiled preamble stand, in their order, when they are not the lines that it was made from.
  Messages take(const std::vector<unsigned>& include_lines = {});

 private:
  void note_where_headers_come_from();

  Messages messages_;
  llvm::raw_string_ostream stream_;
  llvm::IntrusiveRefCntPtr<clang::DiagnosticOptions> options_;
  clang::TextDiagnosticPrinter printer_;
  unsigned warnings_ = 0;
  unsigned errors_ = 0;
  bool dropping_ = false;  ///< the last message was dropped, so its notes are too
  unsigned dropped_ = 0;
};

}  // namespace cweb::jit
