#include "http/head_check.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "http/characters.h"

namespace cweb::http {
namespace {

constexpr const char* bad_line_end = "every line must end in CR LF, and have no other control character";
constexpr const char* bad_request_line =
    "the request line must be method, target and HTTP/1.1 or HTTP/1.0 with one space between them";

/// Of the request target. A fragment is the client's own business (RFC 9112, 3.2): one server would cut it off and
/// another would not.
bool is_target_character(char c) {
  static constexpr auto table = [] {
    std::array<bool, 256> allowed{};
    for (size_t byte = 0x21; byte < 256; ++byte) allowed[byte] = byte != 0x7f && byte != '#';
    return allowed;
  }();
  return table[static_cast<unsigned char>(c)];
}

/// Looks at eight bytes at once. A tab, which is allowed, and what stands behind a control character may be taken for
/// one: whoever gets true looks again.
bool may_have_control_character(const char* eight) {
  constexpr uint64_t ones = 0x0101010101010101;
  constexpr uint64_t high_bits = ones * 0x80;
  uint64_t bytes;
  std::memcpy(&bytes, eight, sizeof bytes);
  const uint64_t delete_is_zero = bytes ^ (ones * 0x7f);
  const uint64_t below_space = (bytes - ones * 0x20) & ~bytes;
  const uint64_t is_delete = (delete_is_zero - ones) & ~delete_is_zero;
  return ((below_space | is_delete) & high_bits) != 0;
}

/// Goes through a head once, from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view head) : at_(head.data()), end_(head.data() + head.size()) {}

  bool at_end() const { return at_ == end_; }
  char here() const { return at_ < end_ ? *at_ : '\0'; }
  bool take(std::string_view text) {
    if (static_cast<size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }
  /// As many as there are; false when there are none.
  template <class Class>
  bool skip(Class is_member) {
    const char* const start = at_;
    while (at_ < end_ && is_member(*at_)) ++at_;
    return at_ > start;
  }
  void skip_field_text() {
    for (;;) {
      while (end_ - at_ >= 8 && !may_have_control_character(at_)) at_ += 8;
      // Usually the CR is among these; else it was a false alarm, or the end is near.
      const char* const look_until = end_ - at_ > 8 ? at_ + 8 : end_;
      while (at_ < look_until && is_field_text(*at_)) ++at_;
      if (at_ < look_until || at_ == end_) return;
    }
  }

 private:
  const char* at_;
  const char* const end_;
};

const char* request_line_fault(Cursor& cursor) {
  if (!cursor.skip(is_token) || !cursor.take(" ")) return bad_request_line;
  if (!cursor.skip(is_target_character)) return bad_request_line;
  if (cursor.here() == '#') return "the request target must have no fragment (#)";
  // llhttp takes RTSP and ICE for HTTP/1.0.
  if (!cursor.take(" HTTP/1.1") && !cursor.take(" HTTP/1.0")) return bad_request_line;
  return cursor.take("\r\n") ? nullptr : bad_line_end;
}

const char* header_line_fault(Cursor& cursor) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (is_blank(cursor.here())) return "a header line must not begin with white space";
  const bool has_name = cursor.skip(is_token);
  if (has_name && is_blank(cursor.here())) return "there must be no white space between a header's name and its colon";
  if (!has_name || !cursor.take(":")) return "a header line must be a name, a colon and a value";
  cursor.skip_field_text();
  return cursor.take("\r\n") ? nullptr : bad_line_end;
}

}  // namespace

const char* head_fault(std::string_view head) {
  Cursor cursor(head);
  if (const char* fault = request_line_fault(cursor)) return fault;
  while (!cursor.take("\r\n")) {
    if (const char* fault = header_line_fault(cursor)) return fault;
  }
  return nullptr;
}

bool is_request_line(std::string_view line) {
  Cursor cursor(line);
  return request_line_fault(cursor) == nullptr && cursor.at_end();
}

}  // namespace cweb::http
