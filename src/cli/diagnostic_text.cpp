#include "cli/diagnostic_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

/// As the server calls every source.
constexpr std::string_view source_name = "module.c";
constexpr std::string_view included_from = "In file included from ";
constexpr std::string_view decimal = "0123456789";
/// Generated sources have lines that nobody wants to see whole.
constexpr size_t longest_line_shown = 400;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

/// "   11 | code" and "      |  ^~~~"; messages begin with a file's name.
bool is_excerpt(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" 0123456789"), line.size()));
  return line.starts_with('|');
}

bool has_excerpt(std::string_view text) {
  while (!text.empty()) {
    if (is_excerpt(take_line(text))) return true;
  }
  return false;
}

struct Severity {
  std::string_view word;
  Colour colour;
};
constexpr std::array<Severity, 4> severities = {{{"fatal error: ", Colour::error},
                                                 {"error: ", Colour::error},
                                                 {"warning: ", Colour::warning},
                                                 {"note: ", Colour::note}}};

/// "module.c:11:62: error: something is wrong", in its parts.
struct Head {
  std::string_view file;   ///< empty: the message has no place
  std::string_view place;  ///< ":11:62: "
  Severity severity;
  std::string_view message;
  unsigned line = 0, column = 0;
};

unsigned number_at(std::string_view text) {
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Splits ":11:62: " off the end of what stands before the severity.
void split_place(std::string_view text, Head& head) {
  if (!text.ends_with(": ")) return;
  const auto take_number = [&](size_t end) {
    const size_t begin = text.find_last_not_of(decimal, end - 1);
    return begin != std::string_view::npos && text[begin] == ':' && begin + 1 < end ? begin : std::string_view::npos;
  };
  const size_t last = take_number(text.size() - 2);
  if (last == std::string_view::npos) return;
  const size_t first = last == 0 ? std::string_view::npos : take_number(last);
  const size_t begin = first == std::string_view::npos ? last : first;
  head.file = text.substr(0, begin);
  head.place = text.substr(begin);
  head.line = number_at(text.substr(begin + 1));
  if (first != std::string_view::npos) head.column = number_at(text.substr(last + 1));
}

std::optional<Head> parse_head(std::string_view line) {
  std::optional<Head> found;
  size_t earliest = std::string_view::npos;
  for (const Severity& severity : severities) {
    const size_t at = line.find(severity.word);
    // At the beginning, or behind a place: not in the middle of a sentence.
    if (at >= earliest || (at != 0 && !line.substr(0, at).ends_with(": "))) continue;
    earliest = at;
    found = Head{.file = {}, .place = {}, .severity = severity, .message = line.substr(at + severity.word.size())};
    split_place(line.substr(0, at), *found);
    if (at != 0 && found->place.empty()) found.reset();
  }
  return found;
}

std::string_view line_of(std::string_view source, unsigned number) {
  std::string_view line;
  for (unsigned i = 0; i < number; ++i) {
    if (source.empty()) return {};
    line = take_line(source);
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// The line with its number and a caret below, from the file that was sent.
std::string local_excerpt(std::string_view source, unsigned number, unsigned column) {
  const std::string_view line = line_of(source, number);
  if (line.empty() || line.size() > longest_line_shown || column == 0 || column > line.size() + 1) return {};
  // The column counts bytes. Tabs stay tabs, so that the caret stands below its character.
  std::string indent;
  for (const char c : line.substr(0, column - 1)) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) indent += c == '\t' ? '\t' : ' ';
  }
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%5u", number);
  return std::string(digits.data()) + " | " + harmless(line) + "\n      | " + indent + "^\n";
}

class Painter {
 public:
  Painter(std::string_view file, std::string_view source, bool adds_excerpts, bool colours)
      : file_(one_line(file)), source_(source), adds_excerpts_(adds_excerpts), colours_(colours) {}

  void line(std::string_view line) {
    if (is_excerpt(line)) return excerpt(line);
    marks_ = 0;
    if (line.starts_with(included_from)) {
      text_ += included_from;
      line.remove_prefix(included_from.size());
      const bool is_source = line.starts_with(source_name) && line.substr(source_name.size()).starts_with(':');
      if (is_source) line.remove_prefix(source_name.size());
      text_ += (is_source ? file_ : std::string()) + std::string(line) + "\n";
    } else if (const auto head = parse_head(line)) {
      message(*head);
    } else {
      // Behind the compiler's messages may stand the report of a fault in onload.
      is_fault_ = is_fault_ || line.starts_with("fault ");
      text_ += (is_fault_ ? with_files(line, "", {{"", file_}}) : std::string(line)) + "\n";
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void message(const Head& head) {
    const bool is_source = head.file == source_name;
    const std::string file = is_source ? file_ : std::string(head.file);
    if (!head.place.empty()) text_ += coloured(colours_, Colour::bold, file + std::string(head.place));
    text_ += coloured(colours_, head.severity.colour, head.severity.word);
    const bool is_note = head.severity.colour == Colour::note;
    text_ += is_note ? std::string(head.message) : coloured(colours_, Colour::bold, head.message);
    text_ += '\n';
    if (!is_source || !adds_excerpts_) return;
    std::string added = local_excerpt(source_, head.line, head.column);
    for (std::string_view rest = added; !rest.empty();) excerpt(take_line(rest));
  }

  /// Below a line of the source stand the caret and what it points at, and below that may stand a proposal.
  void excerpt(std::string_view line) {
    const size_t bar = line.find('|');
    const bool is_source_line = line.substr(0, bar).find_first_of(decimal) != std::string_view::npos;
    marks_ = is_source_line ? 0 : marks_ + 1;
    const std::string_view what = line.substr(bar + 1);
    text_ += line.substr(0, bar + 1);
    text_ += marks_ == 0 ? std::string(what) : coloured(colours_, marks_ == 1 ? Colour::caret : Colour::fixit, what);
    text_ += '\n';
  }

  const std::string file_;
  const std::string_view source_;
  const bool adds_excerpts_;
  const bool colours_;
  std::string text_;
  bool is_fault_ = false;
  int marks_ = 0;  ///< lines below the last line of the source
};

}  // namespace

std::string diagnostic_text(std::string_view rendered, std::string_view file, std::string_view source, bool colours) {
  const std::string clean = harmless(rendered);
  Painter painter(file, source, !has_excerpt(clean), colours);
  for (std::string_view rest = clean; !rest.empty();) painter.line(take_line(rest));
  return painter.take();
}

std::string with_files(std::string_view report, const std::string& module,
                       const std::map<std::string, std::string>& files) {
  std::string text;
  for (size_t at = report.find(source_name); at != report.npos; at = report.find(source_name)) {
    text += report.substr(0, at);
    report.remove_prefix(at + source_name.size());
    const bool is_others = text.ends_with('/');
    const auto file = std::find_if(files.begin(), files.end(), [&](const auto& each) {
      return is_others ? text.ends_with(" " + each.first + "/") : each.first == module;
    });
    if (file != files.end() && is_others) text.resize(text.size() - file->first.size() - 1);
    text += file == files.end() ? source_name : std::string_view(file->second);
  }
  text += report;
  return text;
}

}  // namespace cweb::cli
