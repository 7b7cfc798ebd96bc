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

std::optional<CanonicalIncludes> canonical_includes(std::string_view preamble) {
  // A backslash may join lines, inside a comment too.
  if (preamble.find('\\') != npos) return std::nullopt;
  CanonicalIncludes includes;
  bool at_line_start = true;
  unsigned line = 1;
  for (size_t at = 0; at < preamble.size();) {
    const char c = preamble[at];
    size_t end = at + 1;
    if (c == '\n') {
      at_line_start = true;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      // Nothing to note.
    } else if (const size_t comment_end = skip_comment(preamble, at); comment_end != at) {
      end = comment_end;
    } else if (c == '#' && at_line_start) {
      end = take_include(preamble, at, includes.text);
      includes.lines.push_back(line);
      at_line_start = false;
    } else {
      return std::nullopt;
    }
    if (end == npos) return std::nullopt;
    line += static_cast<unsigned>(std::count(preamble.begin() + static_cast<std::ptrdiff_t>(at),
                                             preamble.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at = end;
  }
  if (includes.lines.empty()) return std::nullopt;
  return includes;
}

bool conditions_are_closed(std::string_view preamble) {
  int open = 0;
  while (!preamble.empty()) {
    const size_t end = std::min(preamble.find('\n'), preamble.size());
    size_t at = skip_blanks(preamble, 0);
    if (at < end && preamble[at] == '#') {
      at = skip_blanks(preamble, at + 1);
      if (preamble.substr(at, 2) == "if") ++open;
      if (preamble.substr(at, 5) == "endif") --open;
    }
    preamble.remove_prefix(std::min(end + 1, preamble.size()));
  }
  return open == 0;
}

}  // namespace cweb::jit
