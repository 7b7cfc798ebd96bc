// What reads C source and asm text without a compiler: the repair of lost newlines, the leading #include block, the
// rules for inline assembly. The first byte says which.
#include <cctype>

#include "base/error.h"
#include "fuzz/support/input.h"
#include "jit/asm_rules.h"
#include "jit/leading_includes.h"
#include "jit/source_repair.h"

namespace {

using namespace cweb;

std::string without_newlines(std::string_view text) {
  std::string joined(text);
  std::erase(joined, '\n');
  return joined;
}

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\v\f"), text.size()));
  return text;
}

/// Newlines are all that is added, each #include stands on a line of its own, and nothing is left to repair.
void check_repair(std::string_view source) {
  const bool lost = jit::lost_its_newlines(source);
  const Expected<std::string> restored = jit::restore_newlines(source);
  if (!restored) {
    CWEB_ASSERT(restored.error().message.find("--data-binary") != std::string::npos);
    CWEB_ASSERT(restored.error().message.find('\n') == std::string::npos);
    return;
  }
  if (!lost) return;
  CWEB_ASSERT(without_newlines(*restored) == source);
  CWEB_ASSERT(!jit::lost_its_newlines(*restored) || restored->find('\n') == std::string::npos);
  std::string_view rest = *restored;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view text = without_blanks(line);
    if (!text.starts_with('#')) continue;
    CWEB_ASSERT(without_blanks(text.substr(1)).starts_with("include"));
    CWEB_ASSERT(line.ends_with('>') || line.ends_with('"'));
  }
}

/// Two sources with one canonical text share one preamble: the text must say the same as the lines that it stands for.
void check_includes(std::string_view preamble) {
  static_cast<void>(jit::conditions_are_closed(preamble));
  const auto includes = jit::canonical_includes(preamble);
  if (!includes) return;
  std::vector<std::string_view> lines;
  for (std::string_view rest = preamble; !rest.empty();) {
    lines.push_back(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(lines.back().size() + 1, rest.size()));
  }
  std::string_view rest = includes->text;
  unsigned last = 0;
  for (const unsigned number : includes->lines) {
    CWEB_ASSERT(number > last && number <= lines.size());
    last = number;
    constexpr std::string_view directive = "#include ";
    CWEB_ASSERT(rest.starts_with(directive) && rest.find('\n') != rest.npos);
    const std::string_view name = rest.substr(directive.size(), rest.find('\n') - directive.size());
    CWEB_ASSERT(name.size() >= 2 && (name.front() == '<' ? name.back() == '>' : name.back() == '"'));
    CWEB_ASSERT(lines[number - 1].find(name) != std::string_view::npos);
    rest.remove_prefix(rest.find('\n') + 1);
  }
  CWEB_ASSERT(rest.empty());
  const auto again = jit::canonical_includes(includes->text);
  CWEB_ASSERT(again.has_value() && again->text == includes->text);
}

/// What the assembler would read files for is in no text that is let through, however it is spelled.
void check_asm(std::string_view text) {
  const auto refusal = jit::refused_asm(text);
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view directive : {".incbin", ".include", ".macro"}) {
    if (lower.find(directive) != lower.npos) CWEB_ASSERT(refusal.has_value());
  }
  if (refusal) {
    CWEB_ASSERT(!refusal->empty());
    return;
  }
  // A template's operand or alternative must not make up a statement's name.
  for (std::string_view rest = lower; !rest.empty();) {
    const std::string_view statement = rest.substr(0, rest.find_first_of("\n\r;"));
    rest.remove_prefix(std::min(statement.size() + 1, rest.size()));
    const size_t first = statement.find_first_not_of(" \t\v\f");
    if (first == statement.npos) continue;
    CWEB_ASSERT(std::string_view("{|}\\").find(statement[first]) == std::string_view::npos);
    CWEB_ASSERT(statement[first] != '%' || statement.substr(first, 2) == "%=");
  }
  if (jit::plain_asm_label(text)) CWEB_ASSERT(text.find_first_of(" \t\r\n;%{|}\\\"'") == text.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  switch (input.take(1).empty() ? ' ' : static_cast<char>(data[0])) {
    case 'r':
      check_repair(input.rest());
      break;
    case 'i':
      check_includes(input.rest());
      break;
    case 'a':
      check_asm(input.rest());
      break;
    default:
      break;
  }
  return 0;
}
