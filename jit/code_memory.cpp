// Hands out pages of reserved address space and takes them back. Any thread.
//
// LLVM has memory managers of its own. This one exists because theirs write zeros over static storage that nobody has
// touched yet, keep the pages of what was removed, and leave no gap between two versions.
#include "jit/code_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace cweb::jit {
namespace {

// Address space only. One slab holds thousands of ordinary modules.
constexpr size_t slab_bytes = size_t{2} << 30;

// A version takes four of the process's mappings (code, constants, variables, gap), and the kernel grants 65,530.
constexpr size_t most_ranges = 15'000;

void* const no_place = nullptr;

size_t whole_pages(size_t bytes) {
  const size_t page = CodeMemory::page_bytes();
  return (bytes + page - 1) / page * page;
}

}  // namespace

CodeRange::~CodeRange() {
  if (memory_ != nullptr) memory_->release(begin_, bytes_);
}

bool CodeRange::protect(uintptr_t begin, size_t bytes, int protection) {
  CWEB_ASSERT(contains(begin) && bytes <= begin_ + bytes_ - begin);
  return ::mprotect(reinterpret_cast<void*>(begin), whole_pages(bytes), protection) == 0;
}

Expected<std::shared_ptr<CodeMemory>> CodeMemory::create() {
  std::shared_ptr<CodeMemory> memory(new CodeMemory);
  if (!memory->reserve_slab(slab_bytes)) {
    return fail(fmt::format("cannot reserve {} MiB of address space for modules; is it limited (ulimit -v)?",
                            slab_bytes >> 20));
  }
  return memory;
}

CodeMemory::~CodeMemory() {
  for (const Slab& slab : slabs_) ::munmap(reinterpret_cast<void*>(slab.begin), slab.bytes);
}

size_t CodeMemory::page_bytes() {
  static const auto bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

Expected<CodeRange> CodeMemory::allocate(size_t bytes) {
  const size_t pages = whole_pages(std::max<size_t>(bytes, 1));
  const size_t with_gap = pages + page_bytes();
  std::optional<uintptr_t> begin;
  {
    const std::lock_guard lock(mutex_);
    if (ranges_ >= most_ranges) {
      return fail(
          fmt::format("{} module versions are loaded, which is the most that fit into this process's memory "
                      "mappings; remove modules, or wait until calls into old versions have ended",
                      ranges_));
    }
    begin = take(with_gap);
    if (!begin && reserve_slab(with_gap)) begin = take(with_gap);
    if (!begin) return fail(fmt::format("no address space is left for the {} bytes of this module", pages));
    ++ranges_;
  }
  CodeRange range(shared_from_this(), *begin, pages);
  if (!range.protect(*begin, pages, PROT_READ | PROT_WRITE)) {
    return fail(fmt::format("the system gives no memory for the {} bytes of this module", pages));
  }
  return range;
}

/// mutex_ is held, or nobody else knows of the object yet.
bool CodeMemory::reserve_slab(size_t at_least) {
  const size_t bytes = std::max(slab_bytes, at_least);
  void* const begin = ::mmap(no_place, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) return false;
  slabs_.push_back({reinterpret_cast<uintptr_t>(begin), bytes});
  free_[reinterpret_cast<uintptr_t>(begin)] = bytes;
  return true;
}

/// mutex_ is held. The first hole that is large enough: low addresses are used again and again, so that the kernel's
/// page tables stay small.
std::optional<uintptr_t> CodeMemory::take(size_t bytes) {
  const auto hole = std::find_if(free_.begin(), free_.end(), [&](const auto& entry) { return entry.second >= bytes; });
  if (hole == free_.end()) return std::nullopt;
  const auto [begin, size] = *hole;
  free_.erase(hole);
  if (size > bytes) free_[begin + bytes] = size - bytes;
  return begin;
}

void CodeMemory::release(uintptr_t begin, size_t bytes) {
  // A new mapping in place of the old pages frees them, and is one with the reserved space around it again.
  void* const cleared = ::mmap(reinterpret_cast<void*>(begin), bytes, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  const std::lock_guard lock(mutex_);
  --ranges_;
  // Pages that the kernel did not take back must not be handed out as zeroed ones.
  if (cleared == MAP_FAILED) return;

  uintptr_t hole = begin;
  size_t size = bytes + page_bytes();
  auto next = free_.lower_bound(begin);
  const auto is_slab_begin = [this](uintptr_t address) {
    return std::any_of(slabs_.begin(), slabs_.end(), [=](const Slab& slab) { return slab.begin == address; });
  };
  if (next != free_.end() && next->first == hole + size && !is_slab_begin(next->first)) {
    size += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin() && !is_slab_begin(hole)) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == hole) {
      previous->second += size;
      return;
    }
  }
  free_[hole] = size;
}

}  // namespace cweb::jit
