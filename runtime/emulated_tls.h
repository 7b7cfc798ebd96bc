// Thread-local variables of module code (-femulated-tls): one block per variable and thread, owned by the version.
#pragma once

#include <cstddef>
#include <memory>

namespace cweb::runtime {

/// The blocks of one version. Thread-safe. The destructor frees the blocks of all threads.
class EmulatedTls {
 public:
  EmulatedTls();
  ~EmulatedTls();
  EmulatedTls(const EmulatedTls&) = delete;
  EmulatedTls& operator=(const EmulatedTls&) = delete;

  /// The calling thread's block for the variable that `control` describes (compiler-rt's emutls control object:
  /// size, alignment, index, initial value), made at its first use. Null when memory is out.
  void* address(void* control);

 private:
  struct Blocks;
  std::unique_ptr<Blocks> blocks_;
};

}  // namespace cweb::runtime
