// The environment, which is the process's. A module's changes are copies of what it gives, and one at a time; the list
// itself it may read as it was at the start.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"

namespace cweb::runtime {
namespace {

/// libc reads the environment without a lock; setenv moves it.
std::mutex environment_mutex;

char* host_getenv(const char* name) {
  read_through(name);
  const HostSection section;
  const std::lock_guard lock(environment_mutex);
  return getenv(name);
}

int host_setenv(const char* name, const char* value, int overwrite) {
  if (name == nullptr) return errno = EINVAL, -1;
  read_through(name);
  read_through(value);
  const HostSection section;
  const std::lock_guard lock(environment_mutex);
  return setenv(name, value, overwrite);
}

int host_unsetenv(const char* name) {
  if (name == nullptr) return errno = EINVAL, -1;
  read_through(name);
  const HostSection section;
  const std::lock_guard lock(environment_mutex);
  return unsetenv(name);
}

int host_clearenv() {
  const HostSection section;
  const std::lock_guard lock(environment_mutex);
  return clearenv();
}

/// libc's keeps the text that it is given, which goes with the module.
int host_putenv(char* text) {
  const size_t length = read_through(text);
  const auto* const equals = static_cast<const char*>(std::memchr(text, '=', length));
  if (equals == nullptr) return host_unsetenv(text);
  const size_t name_length = static_cast<size_t>(equals - text);
  auto* const name = static_cast<char*>(module_malloc(name_length + 1));
  if (name == nullptr) return errno = ENOMEM, -1;
  std::memcpy(name, text, name_length);
  name[name_length] = '\0';
  const int result = host_setenv(name, equals + 1, 1);
  module_free(name);
  return result;
}

/// The texts and the list are copies that nobody else changes; the variable is in a page that nobody can write to: one
/// that a module has assigned to would be everybody's.
char*** make_environ() {
  static std::vector<std::string> texts;
  static std::vector<char*> list;
  for (char** text = environ; text != nullptr && *text != nullptr; ++text) texts.emplace_back(*text);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  void* const page = mmap(nullptr, sizeof(char**), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CWEB_ASSERT(page != MAP_FAILED);
  auto* const variable = static_cast<char***>(page);
  *variable = list.data();
  CWEB_ASSERT(mprotect(page, sizeof(char**), PROT_READ) == 0);
  return variable;
}

}  // namespace

std::span<const HostSymbol> environment_functions() {
  static char*** const variable = make_environ();
  static const HostSymbol functions[] = {
      host_function("getenv", host_getenv),
      host_function("secure_getenv", host_getenv),
      host_function("setenv", host_setenv),
      host_function("unsetenv", host_unsetenv),
      host_function("clearenv", host_clearenv),
      host_function("putenv", host_putenv),
      {"environ", variable},
      {"__environ", variable},
      {"_environ", variable},
  };
  return functions;
}

}  // namespace cweb::runtime
