// The framing of a chunked body, byte by byte as it arrives (RFC 9112, 7.1). llhttp decodes chunks but looks at little
// of what stands around them: it takes any byte for the LF of a size line and any two for the line end behind the data,
// so that it and a proxy could disagree about where the request ends. Nor does it bound extensions and trailers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/rejection.h"

namespace cweb::http {

/// One for each body. Accepts exactly: lower- or upper-case hexadecimal sizes without white space, extensions (which it
/// ignores), CR LF at every line's end, trailer lines that do not tell about framing or routing.
class ChunkCheck {
 public:
  /// A body of more than `limit` decoded bytes is a 413, as soon as a size announces it.
  explicit ChunkCheck(uint64_t limit) : data_limit_(limit) {}

  /// The bytes behind those of the last call. Those behind the body's end are not looked at.
  std::optional<Rejection> look_at(std::string_view bytes);
  /// Has the body ended?
  bool done() const { return state_ == State::done; }

 private:
  enum class State {
    size,
    extension,
    size_line_end,  // the LF is to come
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_line_end,
    last_line_end,
    done,
  };

  std::optional<Rejection> step(char c);
  std::optional<Rejection> in_size(char c);
  std::optional<Rejection> size_known();
  std::optional<Rejection> in_trailer_start(char c);
  std::optional<Rejection> in_trailer_name(char c);
  /// The one character that may stand here.
  std::optional<Rejection> expect(char c, char wanted, State next);
  std::string_view trailer_name() const { return {name_.data(), std::min(name_length_, name_.size())}; }

  State state_ = State::size;
  uint64_t data_limit_;          // decoded bytes that may still come
  uint64_t left_ = 0;            // of the size line: its value; of the data: what is still to come of it
  unsigned digits_ = 0;          // of the size line
  size_t extension_bytes_ = 0;   // of the whole body
  size_t trailer_bytes_ = 0;     // of the whole body
  size_t name_length_ = 0;       // of the trailer line; may be beyond what name_ holds
  std::array<char, 20> name_{};  // in lower case: as much as is needed to know the forbidden ones
};

}  // namespace cweb::http
