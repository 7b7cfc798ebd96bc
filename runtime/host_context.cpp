#include "runtime/host_context.h"

#include <cweb.h>

#include "runtime/host_objects.h"

namespace cweb::runtime {

std::unique_ptr<cweb_context> make_context() {
  return std::make_unique<cweb_context>(cweb_context{
      .cache = host_objects().cache,
      .scheduler = host_objects().scheduler,
      .database = host_objects().database,
      .crypto = host_objects().crypto,
      .symbols = host_objects().symbols,
      .jobs = nullptr,  // as cweb.h says
  });
}

}  // namespace cweb::runtime
