// Gives JITLink memory from CodeMemory.
#pragma once

#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>

#include <memory>

#include "jit/code_memory.h"

namespace cweb::jit {

/// Does the protection include this right?
inline bool has(llvm::orc::MemProt protection, llvm::orc::MemProt right) {
  return (static_cast<unsigned>(protection) & static_cast<unsigned>(right)) != 0;
}

/// For one link. Where JITLink keeps an opaque handle for finished memory, this keeps the range itself.
class LinkMemory final : public llvm::jitlink::JITLinkMemoryManager {
 public:
  explicit LinkMemory(CodeMemory& memory) : memory_(memory) {}

  void allocate(const llvm::jitlink::JITLinkDylib* dylib, llvm::jitlink::LinkGraph& graph,
                OnAllocatedFunction on_allocated) override;
  void deallocate(std::vector<FinalizedAlloc> finished, OnDeallocatedFunction on_deallocated) override;

  /// The memory of the finished link, with its protection set.
  CodeRange take(FinalizedAlloc finished);

 private:
  class InFlight;

  CodeMemory& memory_;
  CodeRange range_;
};

}  // namespace cweb::jit
