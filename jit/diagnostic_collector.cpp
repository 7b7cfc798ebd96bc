// Collects the messages of one compile. Same thread as the compile.
#include "jit/diagnostic_collector.h"

#include <clang/Basic/DiagnosticIDs.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Lex/LexDiagnostic.h>
#include <clang/Lex/Lexer.h>
#include <fmt/format.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Support/JSON.h>

#include <utility>

#include "jit/compiler_arguments.h"
#include "jit/sysroot_files.h"

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
      end =
          end.getLocWithOffset(static_cast<int>(clang::Lexer::MeasureTokenLength(end, sources, clang::LangOptions())));
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

/// Clang takes a precompiled preamble for another file of this name, which the source includes in front of line 1.
const std::string preamble_file = std::string(module_directory) + "/" + module_file;

/// The line of the source that a line of the preamble's text is, as it stands in front of `text`.
std::string source_line(llvm::StringRef text, const std::vector<unsigned>& include_lines) {
  unsigned line = 0;
  text.take_while(llvm::isDigit).getAsInteger(10, line);
  if (line > 0 && line <= include_lines.size()) line = include_lines[line - 1];
  return std::to_string(line) + text.drop_while(llvm::isDigit).str();
}

/// What Clang printed, with places in the preamble told as places in the source. Excerpts of the source begin with a
/// line number or blanks, so that no text of the module looks like one of these lines.
std::string in_terms_of_the_source(std::string rendered, const std::vector<unsigned>& include_lines) {
  if (rendered.find(preamble_file) == std::string::npos) return rendered;
  constexpr llvm::StringLiteral included("In file included from ");
  const std::string place = preamble_file + ":", in_source = std::string(module_file) + ":";
  std::string result, held;
  for (llvm::StringRef rest = rendered; !rest.empty();) {
    auto [line, next] = rest.split('\n');
    rest = next;
    const bool is_include = line.consume_front(included);
    if (line.consume_front(place)) {
      held.clear();
      result += (is_include ? included.str() : "") + in_source + source_line(line, include_lines) + "\n";
      continue;
    }
    result += std::exchange(held, {});
    // This is the preamble's own inclusion when a place in it follows.
    std::string& to = is_include && line == in_source + "1:" ? held : result;
    to += (is_include ? included.str() : "") + line.str() + "\n";
  }
  return result + held;
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

void DiagnosticCollector::EndSourceFile() {
  printer_.EndSourceFile();
}

void DiagnosticCollector::HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) {
  DiagnosticConsumer::HandleDiagnostic(level, info);
  if (level == clang::DiagnosticsEngine::Ignored) return;
  if (level != clang::DiagnosticsEngine::Note) {
    const bool is_error = level >= clang::DiagnosticsEngine::Error;
    ++(is_error ? errors_ : warnings_);
    dropping_ = !is_error && warnings_ > most_warnings;
    if (dropping_) ++dropped_;
  }
  if (dropping_) return;
  printer_.HandleDiagnostic(level, info);
  messages_.diagnostics.push_back(plain(level, info));
  if (info.getID() == clang::diag::err_pp_file_not_found) note_where_headers_come_from();
}

/// Behind the message of a header that is not offered.
void DiagnosticCollector::note_where_headers_come_from() {
  Diagnostic note = messages_.diagnostics.back();
  note.severity = Diagnostic::Severity::note;
  note.message =
      "modules may include the headers of the C library, jansson, SQLite, zlib and OpenSSL; `cweb serve --include DIR` "
      "offers those of another directory, and --link the library that they belong to";
  note.fixits.clear();
  if (note.position.line > 0) stream_ << note.file << ':' << note.position.line << ':' << note.position.column << ": ";
  stream_ << "note: " << note.message << '\n';
  messages_.diagnostics.push_back(std::move(note));
}

void DiagnosticCollector::replay(const Messages& earlier) {
  stream_ << earlier.rendered;
  messages_.diagnostics.insert(messages_.diagnostics.end(), earlier.diagnostics.begin(), earlier.diagnostics.end());
  for (const Diagnostic& diagnostic : earlier.diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::warning) ++warnings_;
    if (diagnostic.severity == Diagnostic::Severity::error) ++errors_;
  }
}

void DiagnosticCollector::close() {
  if (dropped_ > 0) stream_ << fmt::format("({} more warnings are not shown)\n", dropped_);
  const auto counted = [](unsigned count, const char* what) {
    return count == 0 ? std::string() : fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  const std::string warnings = counted(warnings_, "warning"), errors = counted(errors_, "error");
  if (warnings.empty() && errors.empty()) return;
  stream_ << warnings << (warnings.empty() || errors.empty() ? "" : " and ") << errors << " generated.\n";
}

Messages DiagnosticCollector::take(const std::vector<unsigned>& include_lines) {
  stream_.flush();
  messages_.rendered = llvm::json::fixUTF8(in_terms_of_the_source(std::move(messages_.rendered), include_lines));
  for (Diagnostic& diagnostic : messages_.diagnostics) {
    if (diagnostic.file == preamble_file) diagnostic.file = module_file;
  }
  return std::move(messages_);
}

}  // namespace cweb::jit
