#include "mgnt/diagnostic_text.h"

#include <fmt/format.h>

namespace cweb::mgnt {
namespace {

constexpr size_t longest_line_shown = 400;

/// Line `number` of the text, counted from 1, without its end; empty when there is no such line.
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

/// The answer is read on a terminal: control characters of the source must not reach it.
std::string printable(std::string_view line) {
  std::string shown(line);
  for (char& c : shown) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  }
  return shown;
}

}  // namespace

jit::Diagnostic error_at(SourcePosition position, std::string message) {
  jit::Diagnostic diagnostic;
  diagnostic.position = position;
  diagnostic.message = std::move(message);
  return diagnostic;
}

const char* to_string(jit::Diagnostic::Severity severity) {
  switch (severity) {
    case jit::Diagnostic::Severity::note:
      return "note";
    case jit::Diagnostic::Severity::warning:
      return "warning";
    case jit::Diagnostic::Severity::error:
      return "error";
  }
  return "error";
}

std::string diagnostic_text(const jit::Diagnostic& diagnostic, std::string_view source) {
  const auto [line, column] = diagnostic.position;
  if (line == 0)
    return fmt::format("{}: {}: {}\n", diagnostic.file, to_string(diagnostic.severity), diagnostic.message);
  std::string text = fmt::format("{}:{}:{}: {}: {}\n", diagnostic.file, line, column, to_string(diagnostic.severity),
                                 diagnostic.message);
  const std::string shown = printable(line_of(source, line));
  if (shown.empty() || shown.size() > longest_line_shown || column == 0 || column > shown.size() + 1) return text;
  // Tabs stay tabs, so that the caret stands below its character whatever the terminal makes of them.
  std::string indent = shown.substr(0, column - 1);
  for (char& c : indent) {
    if (c != '\t') c = ' ';
  }
  return text + fmt::format("{:5} | {}\n      | {}^\n", line, shown, indent);
}

}  // namespace cweb::mgnt
