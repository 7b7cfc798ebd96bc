// Puts newlines back around #include lines of a source that lost them. Pure text; any thread. Nothing is guessed here:
// where a newline carried meaning that the rest of the text does not show, the answer is a sentence.
#include "jit/source_repair.h"

#include <fmt/format.h>

#include <cctype>

namespace cweb::jit {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::string_view word_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) ++end;
  return text.substr(at, end - at);
}

/// The end of the string or character literal that opens at `at`, or npos when it never closes.
size_t end_of_literal(std::string_view text, size_t at) {
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// The end of a block comment that opens at `at`, or npos when it never closes.
size_t end_of_comment(std::string_view text, size_t at) {
  const size_t close = text.find("*/", at + 2);
  return close == std::string_view::npos ? close : close + 2;
}

/// The end of `# include <name>` that opens at `at`, or npos when it is another directive.
size_t end_of_include(std::string_view text, size_t at) {
  size_t i = skip_blanks(text, at + 1);
  if (word_at(text, i) != "include") return std::string_view::npos;
  i = skip_blanks(text, i + 7);
  if (i >= text.size() || (text[i] != '<' && text[i] != '"')) return std::string_view::npos;
  const size_t close = text.find(text[i] == '<' ? '>' : '"', i + 1);
  return close == std::string_view::npos ? close : close + 1;
}

std::string excerpt(std::string_view text, size_t at) {
  std::string shown;
  for (char c : text.substr(at, 40)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  return shown;
}

std::unexpected<Error> cannot_restore(std::string_view text, size_t at, std::string_view reason) {
  return fail(fmt::format(
      "the source came without its newlines (curl -d deletes them), and they cannot be put back: {} at byte "
      "{}, `{}`. Send the file with --data-binary @file, -F code=@file or -T file",
      reason, at + 1, excerpt(text, at)));
}

}  // namespace

bool lost_its_newlines(std::string_view source) {
  if (source.find_first_of("\r\n") != std::string_view::npos) return false;
  for (size_t at = source.find('#'); at != std::string_view::npos; at = source.find('#', at + 1)) {
    if (word_at(source, skip_blanks(source, at + 1)) == "include") return true;
  }
  return false;
}

Expected<std::string> restore_newlines(std::string_view source) {
  std::string restored;
  restored.reserve(source.size() + 64);
  size_t at = 0;
  while (at < source.size()) {
    const char c = source[at];
    const char next = at + 1 < source.size() ? source[at + 1] : '\0';
    size_t end = at + 1;
    bool own_line = false;
    if (c == '"' || c == '\'') {
      end = end_of_literal(source, at);
      if (end == std::string_view::npos) return cannot_restore(source, at, "a literal that never ends begins");
    } else if (c == '/' && next == '*') {
      end = end_of_comment(source, at);
      if (end == std::string_view::npos) return cannot_restore(source, at, "a comment that never ends begins");
    } else if (c == '/' && next == '/') {
      return cannot_restore(source, at, "where the // comment ends is not known,");
    } else if (c == '\\') {
      return cannot_restore(source, at, "a backslash may have joined two lines");
    } else if (c == '#' || (c == '%' && next == ':')) {
      end = c == '#' ? end_of_include(source, at) : std::string_view::npos;
      if (end == std::string_view::npos) {
        return cannot_restore(source, at, "where a directive other than #include ends is not known,");
      }
      own_line = true;
    }
    if (own_line && !restored.empty() && restored.back() != '\n') restored += '\n';
    restored.append(source.substr(at, end - at));
    if (own_line) restored += '\n';
    at = end;
  }
  return restored;
}

}  // namespace cweb::jit
