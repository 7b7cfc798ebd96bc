// The classes of characters that RFC 9110 and 9112 name.
#pragma once

#include <array>
#include <string_view>

namespace cweb::http {

/// The characters that are in `members`, beside the letters and digits of ASCII.
consteval std::array<bool, 256> alphanumeric_and(std::string_view members) {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : members) table[static_cast<unsigned char>(c)] = true;
  return table;
}

/// Of a method or a header's name (RFC 9110, 5.6.2).
inline bool is_token(char c) {
  static constexpr auto table = alphanumeric_and("!#$%&'*+-.^_`|~");
  return table[static_cast<unsigned char>(c)];
}

/// Of a registered name, the host of a URI (RFC 3986, 3.2.2). '%' begins a triplet of its own.
inline bool is_host_character(char c) {
  static constexpr auto table = alphanumeric_and("-._~!$&'()*+,;=");
  return table[static_cast<unsigned char>(c)];
}

/// Visible ASCII, a byte above it, space or tab: what a header's value and a chunk extension are made of.
inline bool is_field_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

/// -1 for what is none.
inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace cweb::http
