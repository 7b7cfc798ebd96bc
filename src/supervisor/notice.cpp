#include "supervisor/notice.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace cweb::supervisor {

Notice& Notice::operator<<(std::string_view text) {
  const size_t count = std::min(text.size(), text_.size() - length_);
  for (const char c : text.substr(0, count))
    text_[length_++] = static_cast<unsigned char>(c) >= ' ' && c != 0x7f ? c : '?';
  return *this;
}

Notice& Notice::operator<<(long number) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return *this << std::string_view(digits.data(), end);
}

void Notice::say() {
  log::say(spdlog::level::warn, {text_.data(), length_});
  length_ = 0;
}

}  // namespace cweb::supervisor
