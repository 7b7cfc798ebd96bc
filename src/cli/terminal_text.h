// Text for a terminal: what a server says, made harmless; colours; tables; numbers that people read. Pure functions but
// for asking what a descriptor is; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cweb::cli {

/// The text without what a terminal would obey: control characters but newline and tab, escape sequences, and marks
/// that turn the direction of writing become '?', and so does what is no UTF-8. A server may be anybody's.
std::string harmless(std::string_view text);

/// The same on one line, cut after a few hundred bytes: for sentences.
std::string one_line(std::string_view text);

/// Is this descriptor a terminal that shows colours, and does nobody mind (NO_COLOR, TERM=dumb)?
bool wants_colours(int fd);

/// What is written around text, when there are colours.
enum class Colour { bold, error, warning, note, caret, fixit, time };
std::string coloured(bool colours, Colour colour, std::string_view text);

/// "843 B", "12.3 KiB", "1.5 GiB".
std::string readable_bytes(uint64_t bytes);
/// "4.1 ms", "2.3 s".
std::string readable_ms(double ms);

/// Columns that a terminal needs for it, as far as one for each character is right.
size_t columns_of(std::string_view text);

/// Rows below a head, in aligned columns, two blanks between them. Cells are made harmless.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string head;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// A cell for each column.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  /// Whole lines.
  std::string text(bool colours) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace cweb::cli
