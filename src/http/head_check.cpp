#include "http/head_check.h"

namespace cweb::http {
namespace {

constexpr auto npos = std::string_view::npos;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// "GET /path HTTP/1.1": exactly one space between the three (RFC 9112, 3).
const char* request_line_fault(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == npos ? npos : line.find(' ', first + 1);
  if (second == npos || second == first + 1 || line.find(' ', second + 1) != npos || line.find('\t') != npos) {
    return "the request line must be method, target and version with one space between them";
  }
  return nullptr;
}

const char* header_line_fault(std::string_view line) {
  if (is_blank(line.front())) return "a header line must not begin with white space";
  const size_t colon = line.find(':');
  if (colon == npos || colon == 0) return "a header line must be a name, a colon and a value";
  if (is_blank(line[colon - 1])) return "there must be no white space between a header's name and its colon";
  return nullptr;
}

}  // namespace

const char* head_fault(std::string_view head) {
  bool first = true;
  while (!head.empty()) {
    const size_t newline = head.find('\n');
    if (newline == npos || newline == 0 || head[newline - 1] != '\r') return "every line must end in CR LF";
    const std::string_view line = head.substr(0, newline - 1);
    head.remove_prefix(newline + 1);
    if (line.find('\r') != npos) return "CR must only stand before LF";
    if (line.find('\0') != npos) return "there must be no NUL in a request's head";
    if (line.empty()) break;
    if (const char* fault = first ? request_line_fault(line) : header_line_fault(line)) return fault;
    first = false;
  }
  return nullptr;
}

}  // namespace cweb::http
