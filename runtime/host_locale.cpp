// Locales. The process's stays as it is; a module may have one of its own on its thread, until its call ends.
#include <locale.h>

#include <cstring>

#include "runtime/host_functions.h"
#include "runtime/module_locale.h"

namespace cweb::runtime {

constinit thread_local bool locale_changed = false;

void restore_locale() {
  locale_changed = false;
  uselocale(LC_GLOBAL_LOCALE);
}

namespace {

locale_t host_uselocale(locale_t locale) {
  if (locale != nullptr) locale_changed = locale != LC_GLOBAL_LOCALE;
  return uselocale(locale);
}

/// One in use would be read by whatever comes next, the report of a fault among that.
void host_freelocale(locale_t locale) {
  if (locale_changed && uselocale(nullptr) == locale) restore_locale();
  freelocale(locale);
}

/// As libc does for a locale that is not there. What a program asks for at its start it gets: the server's is "C".
char* host_setlocale(int category, const char* name) {
  const char* const present = setlocale(category, nullptr);
  const bool same = name == nullptr || present == nullptr || std::strcmp(name, present) == 0;
  return same || *name == '\0' || std::strcmp(name, "POSIX") == 0 ? const_cast<char*>(present) : nullptr;
}

}  // namespace

std::span<const HostSymbol> locale_functions() {
  static const HostSymbol functions[] = {
      host_function("uselocale", host_uselocale),   host_function("__uselocale", host_uselocale),
      host_function("freelocale", host_freelocale), host_function("__freelocale", host_freelocale),
      host_function("setlocale", host_setlocale),
  };
  return functions;
}

}  // namespace cweb::runtime
