#include "supervisor/child_setup.h"

#include <unistd.h>

#include <type_traits>

namespace cweb::supervisor {

static_assert(std::is_trivially_copyable_v<ChildSetup>);

bool write_setup(int file, const ChildSetup& setup) {
  return pwrite(file, &setup, sizeof setup, 0) == static_cast<ssize_t>(sizeof setup);
}

bool read_setup(int file, ChildSetup& setup) {
  return pread(file, &setup, sizeof setup, 0) == static_cast<ssize_t>(sizeof setup) &&
         setup.magic == ChildSetup::expected_magic && setup.parent == getppid() &&
         setup.listener_count <= most_listeners && setup.redirect_listener_count <= most_listeners;
}

}  // namespace cweb::supervisor
