#include "base/error.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace cweb {

void assertion_failed(const char* expression, const char* file, int line) {
  std::array<char, 1024> text{};
  std::snprintf(text.data(), text.size(), "cweb: bug: %s does not hold (%s:%d)", expression, file, line);
  log::say(spdlog::level::critical, text.data());
  std::abort();
}

}  // namespace cweb
