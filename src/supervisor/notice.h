// A line of the parent's on standard error: put together without memory and written at once, so that it stays whole
// beside what the child writes.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace cweb::supervisor {

class Notice {
 public:
  Notice() { *this << "cweb: "; }
  /// What does not print becomes a question mark: a module's name is the module's own.
  Notice& operator<<(std::string_view text);
  Notice& operator<<(long number);
  /// Writes it, with a line end.
  void say();

 private:
  std::array<char, 512> text_;
  size_t length_ = 0;
};

}  // namespace cweb::supervisor
