// Whose code an address is: the versions whose images are in memory, by their addresses. A fault may be in a function
// of another module than the one that was called, and whose it is has to be known in the signal handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace cweb::runtime {

class ModuleVersion;

/// Addresses of a version's image, code and data.
struct CodeOwner {
  uint64_t version = 0;  ///< its id; 0: none
  uintptr_t begin = 0;
  size_t bytes = 0;
  bool contains(uintptr_t address) const { return address - begin < bytes; }
};

/// In whose image the address lies. Any thread, in signal handlers too: takes no lock.
CodeOwner find_code(uintptr_t address);

/// Null when the version is gone, or has no addresses of its own. Any thread.
std::shared_ptr<ModuleVersion> find_version(uint64_t id);

/// From here on the version's image is found. Before code of it runs.
void note_code(const std::shared_ptr<ModuleVersion>& version);
/// At the end of the version, before its image goes; of one that was not noted it is nothing.
void forget_code(uint64_t id);

}  // namespace cweb::runtime
