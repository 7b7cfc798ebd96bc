// Thread-local variables of module code (-femulated-tls): one block per variable and thread, owned by the version.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace cweb::runtime {

/// What the compiler emits for each variable (compiler-rt, emutls.c: __emutls_control).
struct EmulatedVariable {
  size_t size;
  size_t alignment;
  uintptr_t index;            ///< 0 until the first use; then counts the version's variables from 1
  const void* initial_value;  ///< null: all zero

  /// Would the compiler have made it so? It refuses larger ones (jit/compiler.h: static_data_bytes).
  bool is_possible() const {
    constexpr size_t most_bytes = size_t{64} << 20, most_alignment_bytes = size_t{1} << 20;
    return size <= most_bytes && std::has_single_bit(alignment) && alignment <= most_alignment_bytes;
  }
};

/// The blocks of one version. Thread-safe. The destructor frees the blocks of all threads.
class EmulatedTls {
 public:
  EmulatedTls();
  ~EmulatedTls();
  EmulatedTls(const EmulatedTls&) = delete;
  EmulatedTls& operator=(const EmulatedTls&) = delete;

  /// For a variable that has none yet.
  uintptr_t new_index();
  /// How many there have been.
  uintptr_t last_index() const;

  /// The calling thread's block for the variable with this index; null when it has none yet.
  void* find(uintptr_t index);
  /// Makes that block. `variable` is possible, with an index of this version's and an initial value that can be read.
  /// Null when memory is out.
  void* make(const EmulatedVariable& variable);

 private:
  struct Blocks;
  std::unique_ptr<Blocks> blocks_;
};

}  // namespace cweb::runtime
