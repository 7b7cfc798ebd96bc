// What `stdout` and `stderr` are to a module: streams of its version, which lead to its lines (module_output). A call
// that uses them has a pair to itself, so that threads do not wait for each other; they live as long as the version,
// because a module may keep one in a variable.
#pragma once

#include <array>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

namespace cweb::runtime {

/// Nothing is buffered in one, so nothing is lost with a call that ends in the middle. Null: there is no memory.
struct OutputPair {
  std::array<FILE*, 2> files{};  ///< by OutputStream
  bool dropped = false;          ///< left in the middle of something: not used again

  static OutputPair open();
};

/// Owned by a version. Thread-safe.
class OutputFiles {
 public:
  OutputFiles() = default;
  ~OutputFiles();
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;

  /// A pair that no other call has; null: there is no memory.
  OutputPair* borrow();
  void give_back(OutputPair& pair);
  bool has(const FILE* stream) const;
  /// After a fault: the locks that the calling thread's call has left behind. Such a pair is not lent again.
  void release_locks();

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<OutputPair>> pairs_;  // guarded by mutex_
  std::vector<OutputPair*> free_;                   // guarded by mutex_
};

}  // namespace cweb::runtime
