// Reads the leading #include block of a module as text. Pure; any thread.
#include "jit/leading_includes.h"

#include <algorithm>

namespace cweb::jit {
namespace {

constexpr size_t npos = std::string_view::npos;

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

/// The end of the comment at `at`, `at` itself when there is none, npos when it does not end.
size_t skip_comment(std::string_view text, size_t at) {
  if (text.substr(at, 2) == "/*") {
    const size_t close = text.find("*/", at + 2);
    return close == npos ? npos : close + 2;
  }
  if (text.substr(at, 2) == "//") return std::min(text.find('\n', at), text.size());
  return at;
}

/// Appends the #include line at `at` to `lines`; its end, or npos when it is another directive or malformed.
size_t take_include(std::string_view text, size_t at, std::string& lines) {
  at = skip_blanks(text, at + 1);
  if (text.substr(at, 7) != "include") return npos;
  at = skip_blanks(text, at + 7);
  if (at >= text.size() || (text[at] != '<' && text[at] != '"')) return npos;
  const size_t close = text.find(text[at] == '<' ? '>' : '"', at + 1);
  if (close == npos || text.substr(at, close - at).find('\n') != npos) return npos;
  lines.append("#include ").append(text.substr(at, close + 1 - at)).append("\n");
  return close + 1;
}

}  // namespace

std::optional<std::string> canonical_includes(std::string_view preamble) {
  // A backslash may join lines, inside a comment too.
  if (preamble.find('\\') != npos) return std::nullopt;
  std::string lines;
  bool at_line_start = true;
  for (size_t at = 0; at < preamble.size();) {
    const char c = preamble[at];
    if (c == '\n') {
      at_line_start = true;
      ++at;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at;
    } else if (const size_t end = skip_comment(preamble, at); end != at) {
      if (end == npos) return std::nullopt;
      at = end;
    } else if (c == '#' && at_line_start) {
      at = take_include(preamble, at, lines);
      if (at == npos) return std::nullopt;
      at_line_start = false;
    } else {
      return std::nullopt;
    }
  }
  if (lines.empty()) return std::nullopt;
  return lines;
}

}  // namespace cweb::jit
