#include "runtime/host_context.h"

#include <cweb.h>

namespace cweb::runtime {

std::unique_ptr<cweb_context> make_context() {
  return std::make_unique<cweb_context>(cweb_context{
      .cache = nullptr,
      .scheduler = nullptr,
      .database = nullptr,
      .crypto = nullptr,
      .symbols = nullptr,
      .jobs = nullptr,  // as cweb.h says
  });
}

}  // namespace cweb::runtime
