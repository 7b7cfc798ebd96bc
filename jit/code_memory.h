// The memory that linked modules live in: pages of one reserved range of addresses, so that the parts of a version lie
// together (x86-64 code reaches 2 GiB) and a version costs few of the kernel's mappings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"

namespace cweb::jit {

class CodeMemory;

/// Whole pages that one image occupies. The destructor gives them back to the kernel.
class CodeRange {
 public:
  CodeRange() = default;
  CodeRange(std::shared_ptr<CodeMemory> memory, uintptr_t begin, size_t bytes)
      : memory_(std::move(memory)), begin_(begin), bytes_(bytes) {}
  CodeRange(CodeRange&& other) noexcept = default;
  CodeRange& operator=(CodeRange&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(begin_, other.begin_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~CodeRange();

  uintptr_t begin() const { return begin_; }
  size_t bytes() const { return bytes_; }
  bool contains(uintptr_t address) const { return address - begin_ < bytes_; }

  /// Changes what may be done with some of the pages (PROT_READ ...). False when the kernel refuses: it is out of
  /// mappings or of memory.
  bool protect(uintptr_t begin, size_t bytes, int protection);

 private:
  std::shared_ptr<CodeMemory> memory_;  ///< null: owns nothing
  uintptr_t begin_ = 0;
  size_t bytes_ = 0;
};

/// Thread-safe. Lives as long as the last range taken from it.
class CodeMemory : public std::enable_shared_from_this<CodeMemory> {
 public:
  static Expected<std::shared_ptr<CodeMemory>> create();
  ~CodeMemory();
  CodeMemory(const CodeMemory&) = delete;
  CodeMemory& operator=(const CodeMemory&) = delete;

  static size_t page_bytes();

  /// Zeroed pages that can be read and written, with a page behind them that cannot. Fails with a sentence.
  Expected<CodeRange> allocate(size_t bytes);

 private:
  friend class CodeRange;

  CodeMemory() = default;
  bool reserve_slab(size_t at_least);
  std::optional<uintptr_t> take(size_t bytes);
  void release(uintptr_t begin, size_t bytes);

  struct Slab {
    uintptr_t begin;
    size_t bytes;
  };

  std::mutex mutex_;
  std::vector<Slab> slabs_;           ///< guarded by mutex_
  std::map<uintptr_t, size_t> free_;  ///< guarded by mutex_; begin -> bytes, never two that touch within a slab
  size_t ranges_ = 0;                 ///< guarded by mutex_
};

}  // namespace cweb::jit
