// A heap per module version: what a module allocates goes back to the system in one piece when the version goes.
#pragma once

#include <cstddef>
#include <memory>

namespace cweb::runtime {

/// Thread-safe. Made empty and cheap: memory is reserved at the first allocation. The destructor gives back every
/// block, freed or not.
class ModuleHeap {
 public:
  /// The most that a heap can be allowed.
  static constexpr size_t max_bytes = size_t{4} << 30;
  static constexpr size_t default_limit = size_t{1} << 30;

  /// `limit` bounds what is allocated at a time: a heap that is full answers null like malloc does.
  static std::unique_ptr<ModuleHeap> create(size_t limit = default_limit);
  virtual ~ModuleHeap() = default;

  /// A block of at least `size` bytes aligned to `alignment` (a power of two, at least 16), or null when the heap is at
  /// its bound. A size of 0 gives a unique pointer.
  virtual void* allocate(size_t size, size_t alignment = 16, bool zeroed = false) = 0;

  /// Is this a live block of this heap? Any address may be asked about.
  virtual bool owns(const void* address) const = 0;

  /// What is allocated now, with what keeping the blocks takes, and the most that it has been.
  struct Use {
    size_t bytes = 0;
    size_t blocks = 0;
    size_t peak_bytes = 0;
  };
  virtual Use use() const = 0;

  /// Memory that the heap has taken for its blocks so far: what was freed may count on, it is used again.
  virtual size_t bytes() const = 0;
};

/// What an address is, to the module allocator. Any address may be asked about; wild ones never crash.
enum class BlockState {
  foreign,  ///< not a block of any module heap
  live,     ///< a block that is allocated
  freed,    ///< a block that was given back already, or the inside of one
};
BlockState block_state(const void* address);

/// Usable size of a live block; 0 when it is none, or no more.
size_t block_size(const void* block);

struct ResizedBlock {
  bool was_live = false;  ///< false: it is no block, or another thread has freed or moved it
  void* block = nullptr;  ///< null, with the old block as it was, when the heap is at its bound
};
/// Makes a live block `size` bytes large, moving it if need be.
ResizedBlock resize_block(void* block, size_t size);
/// Gives a live block back to its heap, whichever it is. False when it is none, or no more: of several threads that
/// free it at a time one succeeds.
bool release_block(void* block);

}  // namespace cweb::runtime
