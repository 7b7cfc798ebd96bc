#include "cli/terminal_text.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/json_line.h"

namespace cweb::cli {
namespace {

constexpr size_t longest_line = 500;
constexpr size_t most_cell_columns = 60;

/// Is the sequence one that a terminal shows and nothing more?
bool is_shown(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return (first >= 0x20 && first != 0x7f) || first == '\n' || first == '\t';
  // C1 controls: U+009B is ESC [ to many terminals.
  if (first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0) return false;
  // U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: text that looks as if it stood in another order.
  return !(sequence == "\u200e" || sequence == "\u200f" || (sequence >= "\u202a" && sequence <= "\u202e") ||
           (sequence >= "\u2066" && sequence <= "\u2069") || sequence == "\u2028" || sequence == "\u2029");
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t length = log::json_line::utf8_sequence(text);
    // A line end of Windows is one.
    const bool is_line_end = text.starts_with("\r\n");
    if (length > 0 && is_shown(text.substr(0, length))) {
      shown += text.substr(0, length);
    } else if (!is_line_end) {
      shown += '?';
    }
    text.remove_prefix(std::max(length, size_t{1}));
  }
  return shown;
}

std::string one_line(std::string_view text) {
  const bool is_cut = text.size() > longest_line;
  text = text.substr(0, longest_line);
  while (is_cut && !text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) text.remove_suffix(1);
  if (is_cut && !text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0U) text.remove_suffix(1);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string line = harmless(text);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return is_cut ? line + "..." : line;
}

bool wants_colours(int fd) {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  const std::string_view terminal = variable("TERM");
  return isatty(fd) == 1 && variable("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb";
}

std::string coloured(bool colours, Colour colour, std::string_view text) {
  if (!colours) return std::string(text);
  const auto begin = [&] {
    switch (colour) {
      case Colour::bold:
        return "\033[1m";
      case Colour::error:
        return "\033[0;1;31m";
      case Colour::warning:
        return "\033[0;1;35m";
      case Colour::note:
        return "\033[0;1;36m";
      case Colour::caret:
        return "\033[0;1;32m";
      case Colour::time:
        return "\033[2m";
      case Colour::fixit:
        break;
    }
    return "\033[0;32m";
  };
  return std::string(begin()) + std::string(text) + "\033[0m";
}

std::string readable_bytes(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // What would be rounded to 1024.0 is one of the next unit.
  for (; value >= 1023.95 && unit + 1 < units.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
  return text.data();
}

std::string readable_ms(double ms) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), ms < 1000 ? "%.1f ms" : "%.1f s", ms < 1000 ? ms : ms / 1000);
  return text.data();
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

void Table::add(std::vector<std::string> cells) {
  CWEB_ASSERT(cells.size() == columns_.size());
  for (std::string& cell : cells) {
    cell = one_line(cell);
    if (columns_of(cell) <= most_cell_columns) continue;
    size_t end = 0;
    for (size_t shown = 0; shown < most_cell_columns - 3; ++shown)
      end += log::json_line::utf8_sequence(cell.substr(end, 4));
    cell = cell.substr(0, end) + "...";
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text(bool colours) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(columns_of(columns_[i].head));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string blanks(widths[i] - columns_of(cell), ' ');
      if (i > 0) text += "  ";
      text += columns_[i].align == Align::right ? blanks + cell : cell + blanks;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text =
      coloured(colours, Colour::bold, line([&](size_t i) -> const std::string& { return columns_[i].head; }));
  text += '\n';
  for (const auto& row : rows_) text += line([&](size_t i) -> const std::string& { return row[i]; }) + "\n";
  return text;
}

}  // namespace cweb::cli
