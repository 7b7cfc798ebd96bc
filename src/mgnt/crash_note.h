// The name of the module that the process may die of, where the parent reads it (supervisor/child.h).
#pragma once

#include <unistd.h>

#include <string_view>

namespace cweb::mgnt {

/// Leaves the file's offset where it is: a fault handler knows better, and writes over this. Nothing for -1.
inline void write_crash_note(int file, std::string_view name) {
  if (file < 0) return;
  [[maybe_unused]] const int emptied = ftruncate(file, 0);
  if (!name.empty()) [[maybe_unused]]
    const ssize_t written = pwrite(file, name.data(), name.size(), 0);
}

}  // namespace cweb::mgnt
