#include "http/head_check.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "http/characters.h"

namespace cweb::http {
namespace {

constexpr auto npos = std::string_view::npos;

/// Eight bytes at a time. A tab, which is allowed, and a control character in front of others may be taken for one that
/// is not: whoever gets true looks again.
bool may_have_control_character(uint64_t bytes) {
  constexpr uint64_t ones = 0x0101010101010101;
  constexpr uint64_t high_bits = ones * 0x80;
  const uint64_t delete_is_zero = bytes ^ (ones * 0x7f);
  const uint64_t below_space = (bytes - ones * 0x20) & ~bytes;
  const uint64_t is_delete = (delete_is_zero - ones) & ~delete_is_zero;
  return ((below_space | is_delete) & high_bits) != 0;
}

bool has_control_character(std::string_view text) {
  while (text.size() >= sizeof(uint64_t)) {
    uint64_t bytes;
    std::memcpy(&bytes, text.data(), sizeof bytes);
    if (may_have_control_character(bytes)) break;
    text.remove_prefix(sizeof bytes);
  }
  return !std::ranges::all_of(text, is_field_text);
}

/// "GET /path HTTP/1.1": exactly one space between the three (RFC 9112, 3).
const char* request_line_fault(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == npos ? npos : line.find(' ', first + 1);
  if (second == npos || second == first + 1 || line.find(' ', second + 1) != npos) {
    return "the request line must be method, target and version with one space between them";
  }
  const std::string_view version = line.substr(second + 1);
  // llhttp takes RTSP and ICE for HTTP/1.0.
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return "the request line must end in HTTP/1.1 or HTTP/1.0";
  // A fragment is the client's own business (RFC 9112, 3.2); one server would cut it off and another would not.
  if (line.find_first_of("#\t") != npos) return "the request target must have no white space and no fragment (#)";
  return nullptr;
}

const char* header_line_fault(std::string_view line) {
  size_t colon = 0;
  while (colon < line.size() && is_token(line[colon])) ++colon;
  if (colon > 0 && colon < line.size() && line[colon] == ':') return nullptr;
  if (line.front() == ' ' || line.front() == '\t') return "a header line must not begin with white space";
  if (colon > 0 && colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) {
    return "there must be no white space between a header's name and its colon";
  }
  return "a header line must be a name, a colon and a value";
}

}  // namespace

const char* head_fault(std::string_view head) {
  bool first = true;
  while (!head.empty()) {
    const size_t newline = head.find('\n');
    if (newline == npos || newline == 0 || head[newline - 1] != '\r') return "every line must end in CR LF";
    const std::string_view line = head.substr(0, newline - 1);
    head.remove_prefix(newline + 1);
    if (has_control_character(line)) return "there must be no control character in a request's head";
    if (line.empty()) break;
    if (const char* fault = first ? request_line_fault(line) : header_line_fault(line)) return fault;
    first = false;
  }
  return nullptr;
}

}  // namespace cweb::http
