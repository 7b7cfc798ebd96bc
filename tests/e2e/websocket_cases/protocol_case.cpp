#include "protocol_case.h"

#include <cstdio>

namespace cweb::e2e {

std::string letters(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(' ' + i % 95);
  return text;
}

std::string all_bytes(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i % 256);
  return text;
}

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string in_hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    char digits[4];
    std::snprintf(digits, sizeof digits, " %02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    text += digits;
  }
  return text.empty() ? text : text.substr(1);
}

}  // namespace cweb::e2e
