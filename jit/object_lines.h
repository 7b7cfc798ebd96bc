// Source lines of linked code, read from the object it was linked from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/code_image.h"

namespace cweb::jit {

/// Where a section of the object with code in it ended up. Several sections of one object start at address 0, so a pc
/// means nothing without its section.
struct CodeSection {
  uint64_t index = 0;  ///< in the object's section table
  uintptr_t begin = 0;
  size_t bytes = 0;
};

/// Thread-safe. Reads the tables at the first question: most versions are never asked.
class ObjectLines {
 public:
  ObjectLines(std::string object, std::vector<CodeSection> sections);
  ~ObjectLines();
  ObjectLines(const ObjectLines&) = delete;
  ObjectLines& operator=(const ObjectLines&) = delete;

  const std::string& object() const { return object_; }
  /// The functions that `pc` is in, inlined ones first; empty when it is in none.
  std::vector<CodeLocation> locate(uintptr_t pc) const;

 private:
  struct Tables;

  const std::string object_;
  const std::vector<CodeSection> sections_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Tables> tables_;  ///< guarded by mutex_; null until the first question
};

}  // namespace cweb::jit
