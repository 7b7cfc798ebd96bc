// Collects the messages of one compile. Same thread as the compile.
#include "jit/diagnostic_collector.h"

#include <clang/Basic/DiagnosticIDs.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Lex/Lexer.h>
#include <fmt/format.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/Support/JSON.h>

#include "jit/compiler_arguments.h"

namespace cweb::jit {
namespace {

// Errors end at Clang's own limit; nobody reads more warnings than this.
constexpr unsigned most_warnings = 50;

SourcePosition position_of(clang::PresumedLoc location) {
  if (location.isInvalid()) return {};
  return {location.getLine(), location.getColumn()};
}

Diagnostic::Severity severity_of(clang::DiagnosticsEngine::Level level) {
  if (level >= clang::DiagnosticsEngine::Error) return Diagnostic::Severity::error;
  if (level == clang::DiagnosticsEngine::Note) return Diagnostic::Severity::note;
  return Diagnostic::Severity::warning;
}

std::vector<Diagnostic::FixIt> fixits_of(const clang::Diagnostic& info) {
  std::vector<Diagnostic::FixIt> fixits;
  const clang::SourceManager& sources = info.getSourceManager();
  for (const clang::FixItHint& hint : info.getFixItHints()) {
    if (hint.isNull() || hint.InsertFromRange.isValid()) continue;
    const clang::SourceLocation begin = hint.RemoveRange.getBegin();
    clang::SourceLocation end = hint.RemoveRange.getEnd();
    if (begin.isMacroID() || end.isMacroID()) continue;
    if (hint.RemoveRange.isTokenRange()) {
      end = end.getLocWithOffset(static_cast<int>(clang::Lexer::MeasureTokenLength(end, sources, clang::LangOptions())));
    }
    fixits.push_back({position_of(sources.getPresumedLoc(begin)), position_of(sources.getPresumedLoc(end)),
                      llvm::json::fixUTF8(hint.CodeToInsert)});
  }
  return fixits;
}

Diagnostic plain(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) {
  Diagnostic diagnostic;
  diagnostic.severity = severity_of(level);
  llvm::SmallString<128> message;
  info.FormatDiagnostic(message);
  diagnostic.message = llvm::json::fixUTF8(message);
  if (diagnostic.severity == Diagnostic::Severity::warning) {
    const llvm::StringRef option = clang::DiagnosticIDs::getWarningOptionForDiag(info.getID());
    if (!option.empty()) diagnostic.option = "-W" + option.str();
  }
  if (info.hasSourceManager() && info.getLocation().isValid()) {
    const clang::SourceManager& sources = info.getSourceManager();
    const clang::PresumedLoc location = sources.getPresumedLoc(sources.getFileLoc(info.getLocation()));
    diagnostic.position = position_of(location);
    if (location.isValid()) diagnostic.file = llvm::json::fixUTF8(location.getFilename());
    diagnostic.fixits = fixits_of(info);
  }
  return diagnostic;
}

llvm::IntrusiveRefCntPtr<clang::DiagnosticOptions> plain_text() {
  auto options = llvm::makeIntrusiveRefCnt<clang::DiagnosticOptions>();
  options->ShowColors = false;
  options->ShowOptionNames = true;
  return options;
}

}  // namespace

DiagnosticCollector::DiagnosticCollector()
    : stream_(messages_.rendered), options_(plain_text()), printer_(stream_, options_.get()) {}

void DiagnosticCollector::BeginSourceFile(const clang::LangOptions& options, const clang::Preprocessor* preprocessor) {
  printer_.BeginSourceFile(options, preprocessor);
}

void DiagnosticCollector::EndSourceFile() { printer_.EndSourceFile(); }

void DiagnosticCollector::HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) {
  DiagnosticConsumer::HandleDiagnostic(level, info);
  if (level == clang::DiagnosticsEngine::Ignored) return;
  if (level != clang::DiagnosticsEngine::Note) {
    dropping_ = level < clang::DiagnosticsEngine::Error && ++warnings_ > most_warnings;
    if (dropping_) ++dropped_;
  }
  if (dropping_) return;
  printer_.HandleDiagnostic(level, info);
  messages_.diagnostics.push_back(plain(level, info));
}

void DiagnosticCollector::replay(const Messages& earlier) {
  stream_ << earlier.rendered;
  messages_.diagnostics.insert(messages_.diagnostics.end(), earlier.diagnostics.begin(), earlier.diagnostics.end());
}

Messages DiagnosticCollector::take() {
  if (dropped_ > 0) stream_ << fmt::format("({} more warnings are not shown)\n", dropped_);
  stream_.flush();
  messages_.rendered = llvm::json::fixUTF8(messages_.rendered);
  return std::move(messages_);
}

}  // namespace cweb::jit
