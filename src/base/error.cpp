#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace cweb {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "cweb: bug: %s does not hold (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace cweb
