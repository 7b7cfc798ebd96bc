// Prints a message with the line that it is about. Pure text; any thread.
#include "jit/source_excerpt.h"

#include <fmt/format.h>

namespace cweb::jit {
namespace {

// Generated sources have lines that nobody wants to see whole.
constexpr size_t longest_line_shown = 400;

/// Line `number`, counted from 1, without its end; empty when there is none.
std::string_view line_of(std::string_view text, unsigned number) {
  for (unsigned line = 1; line < number; ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

Diagnostic error_at(SourcePosition position, std::string message) {
  Diagnostic diagnostic;
  diagnostic.position = position;
  diagnostic.message = std::move(message);
  return diagnostic;
}

const char* to_string(Diagnostic::Severity severity) {
  switch (severity) {
    case Diagnostic::Severity::note:
      return "note";
    case Diagnostic::Severity::warning:
      return "warning";
    case Diagnostic::Severity::error:
      break;
  }
  return "error";
}

std::string rendered_in_source(const Diagnostic& diagnostic, std::string_view source) {
  const auto [line, column] = diagnostic.position;
  if (line == 0) return fmt::format("{}: {}\n", to_string(diagnostic.severity), diagnostic.message);
  std::string text = fmt::format("{}:{}:{}: {}: {}\n", diagnostic.file, line, column, to_string(diagnostic.severity),
                                 diagnostic.message);
  const std::string_view shown = line_of(source, line);
  if (shown.empty() || shown.size() > longest_line_shown || column == 0 || column > shown.size() + 1) return text;
  std::string excerpt(shown);
  std::string indent(shown.substr(0, column - 1));
  // Control characters must not reach a terminal; tabs stay, so that the caret stands below its character.
  for (char& c : excerpt) c = is_control(c) ? '?' : c;
  for (char& c : indent) c = c == '\t' ? '\t' : ' ';
  return text + fmt::format("{:5} | {}\n      | {}^\n", line, excerpt, indent);
}

}  // namespace cweb::jit
