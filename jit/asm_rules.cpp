// Reads asm text for directives that open files, or that could be made into one. Pure; any thread.
#include "jit/asm_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace cweb::jit {
namespace {

/// .incbin and .include open files; the others generate text that is not read here.
constexpr std::array refused_directives{".incbin", ".include", ".altmacro", ".macro", ".irp", ".irpc", ".rep"};

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$';
}

/// Text that ends a directive's name as written; anything else (an operand, a dialect's alternative) could add to it.
bool ends_name(char c) {
  return c == ' ' || c == '\t' || c == ':' || c == ',' || c == '"' || c == '#' || c == '/' || c == '=';
}

/// Does the statement begin with something whose final spelling is not what stands here?
bool begins_with_generated_text(std::string_view statement) {
  size_t at = 0;
  for (;;) {
    while (at < statement.size() && std::isspace(static_cast<unsigned char>(statement[at]))) ++at;
    if (at >= statement.size()) return false;
    const size_t begin = at;
    // %= is a number, unique for each copy of the text: usual in the names of local labels.
    while (at < statement.size() && (is_name(statement[at]) || statement.substr(at, 2) == "%=")) {
      at += statement[at] == '%' ? 2 : 1;
    }
    const bool is_label = at > begin && at < statement.size() && statement[at] == ':';
    if (is_label) {
      ++at;
      continue;
    }
    if (at == begin)
      return statement[at] == '%' || statement[at] == '{' || statement[at] == '|' || statement[at] == '}' ||
             statement[at] == '\\';
    return statement[begin] == '.' && at < statement.size() && !ends_name(statement[at]);
  }
}

}  // namespace

std::optional<std::string> refused_asm(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::string_view directive : refused_directives) {
    if (lower.find(directive) != std::string::npos) {
      return fmt::format("inline assembly may not use {}: the assembler would read files or generate text", directive);
    }
  }
  for (size_t begin = 0; begin <= lower.size();) {
    const size_t end = std::min(lower.find_first_of("\n\r;", begin), lower.size());
    if (begins_with_generated_text(std::string_view(lower).substr(begin, end - begin))) {
      return "a statement of inline assembly must begin with the plain name of an instruction or directive";
    }
    begin = end + 1;
  }
  return std::nullopt;
}

bool plain_asm_label(std::string_view label) {
  return !label.empty() && std::all_of(label.begin(), label.end(), [](char c) { return is_name(c) || c == '@'; });
}

}  // namespace cweb::jit
