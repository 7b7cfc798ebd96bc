#include "http/chunk_check.h"

#include "http/characters.h"

namespace cweb::http {
namespace {

constexpr unsigned max_size_digits = 16;
/// All extensions of a body together: nobody needs them, and each byte of them is kept until the body is whole.
constexpr size_t max_extension_bytes = 16 * 1024;
constexpr size_t max_trailer_bytes = 16 * 1024;

/// Trailers are thrown away here, but a proxy that merges them into the head would see another request than this one.
constexpr std::string_view forbidden_trailers[] = {"connection", "content-length",    "expect",
                                                   "host",       "transfer-encoding", "upgrade"};

constexpr Rejection bad_line_end{400, "every line of a chunked body must end in CR LF"};
constexpr Rejection bad_size{400, "a chunk must begin with its size in hexadecimal digits and nothing else"};
constexpr Rejection bad_data_end{400, "CR LF must stand behind a chunk's data"};
constexpr Rejection bad_trailer{400, "a trailer line must be a name, a colon and a value"};

}  // namespace

std::optional<Rejection> ChunkCheck::look_at(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::done) {
    if (state_ == State::data) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      bytes.remove_prefix(count);
      left_ -= count;
      if (left_ == 0) state_ = State::data_cr;
      continue;
    }
    if (auto fault = step(bytes.front())) return fault;
    bytes.remove_prefix(1);
  }
  return std::nullopt;
}

std::optional<Rejection> ChunkCheck::step(char c) {
  switch (state_) {
    case State::size:
      return in_size(c);
    case State::extension:
      if (++extension_bytes_ > max_extension_bytes) return Rejection{400, "the chunk extensions are too long"};
      if (c == '\r') return expect(c, '\r', State::size_line_end);
      if (!is_field_text(c)) return bad_line_end;
      return std::nullopt;
    case State::size_line_end:
      if (c != '\n') return bad_line_end;
      return size_known();
    case State::data_cr:
      return c == '\r' ? expect(c, '\r', State::data_lf) : bad_data_end;
    case State::data_lf:
      return c == '\n' ? expect(c, '\n', State::size) : bad_data_end;
    case State::trailer_start:
      return in_trailer_start(c);
    case State::trailer_name:
      return in_trailer_name(c);
    case State::trailer_value:
      if (++trailer_bytes_ > max_trailer_bytes) return Rejection{431, "the trailers are too large"};
      if (c == '\r') return expect(c, '\r', State::trailer_line_end);
      if (!is_field_text(c)) return bad_line_end;
      return std::nullopt;
    case State::trailer_line_end:
      return expect(c, '\n', State::trailer_start);
    case State::last_line_end:
      return expect(c, '\n', State::done);
    case State::data:
    case State::done:
      break;
  }
  return std::nullopt;
}

std::optional<Rejection> ChunkCheck::expect(char c, char wanted, State next) {
  if (c != wanted) return bad_line_end;
  state_ = next;
  return std::nullopt;
}

std::optional<Rejection> ChunkCheck::in_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    // Zeros in front are counted too: a size line is not a place to hide bytes in.
    if (++digits_ > max_size_digits) return Rejection{400, "a chunk's size has too many digits"};
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    return std::nullopt;
  }
  if (digits_ == 0) return bad_size;
  if (c == '\r') return expect(c, '\r', State::size_line_end);
  if (c != ';') return bad_size;
  state_ = State::extension;
  return std::nullopt;
}

std::optional<Rejection> ChunkCheck::size_known() {
  digits_ = 0;
  state_ = left_ == 0 ? State::trailer_start : State::data;
  if (left_ > data_limit_) return Rejection{413, "the request body is too large"};
  data_limit_ -= left_;
  return std::nullopt;
}

std::optional<Rejection> ChunkCheck::in_trailer_start(char c) {
  if (c == '\r') return expect(c, '\r', State::last_line_end);
  name_length_ = 0;
  state_ = State::trailer_name;
  return in_trailer_name(c);
}

std::optional<Rejection> ChunkCheck::in_trailer_name(char c) {
  if (++trailer_bytes_ > max_trailer_bytes) return Rejection{431, "the trailers are too large"};
  if (is_token(c)) {
    if (name_length_ < name_.size()) name_[name_length_] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    ++name_length_;
    return std::nullopt;
  }
  if (c != ':' || name_length_ == 0) return bad_trailer;
  if (std::ranges::find(forbidden_trailers, trailer_name()) != std::end(forbidden_trailers)) {
    return Rejection{400, "a header that tells about framing or routing must not be a trailer"};
  }
  state_ = State::trailer_value;
  return std::nullopt;
}

}  // namespace cweb::http
