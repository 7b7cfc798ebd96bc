// Is a text that comes in pieces UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF, the shortest form)?
#pragma once

#include <cstdint>
#include <string_view>

namespace cweb::http {

class Utf8Check {
 public:
  /// The next piece. False from the first byte on that no UTF-8 text has there.
  bool take(std::string_view piece);
  /// Does the text end at the end of a character?
  bool complete() const { return state_ == 0; }
  void reset() { state_ = 0; }

 private:
  uint8_t state_ = 0;  // 0: between two characters
};

}  // namespace cweb::http
