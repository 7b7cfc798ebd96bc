// Lays a link graph out in one range: a run of pages for each kind of protection. The link writes to the pages where
// they will stay; then they get their protection, so that nothing is ever writable and executable. Thread of the link.
#include "jit/link_memory.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <sys/mman.h>

#include <algorithm>

namespace cweb::jit {
namespace {

namespace jitlink = llvm::jitlink;
namespace orc = llvm::orc;

constexpr uint64_t most_image_bytes = uint64_t{512} << 20;
constexpr uint64_t most_alignment_bytes = uint64_t{1} << 20;

llvm::Error link_error(const std::string& message) {
  return llvm::make_error<jitlink::JITLinkError>(message);
}

int protection_of(orc::MemProt protection) {
  int bits = PROT_NONE;
  if (has(protection, orc::MemProt::Read)) bits |= PROT_READ;
  if (has(protection, orc::MemProt::Write)) bits |= PROT_WRITE;
  if (has(protection, orc::MemProt::Exec)) bits |= PROT_EXEC;
  return bits;
}

struct Segment {
  uintptr_t begin;
  size_t bytes;
  int protection;
};

}  // namespace

/// Between layout and protection. The range belongs to LinkMemory and goes with it when the link is given up.
class LinkMemory::InFlight final : public JITLinkMemoryManager::InFlightAlloc {
 public:
  InFlight(CodeRange& range, std::vector<Segment> segments) : range_(range), segments_(std::move(segments)) {}

  void abandon(OnAbandonedFunction on_abandoned) override { on_abandoned(llvm::Error::success()); }

  void finalize(OnFinalizedFunction on_finalized) override {
    for (const Segment& segment : segments_) {
      if (segment.protection == (PROT_READ | PROT_WRITE)) continue;  // As it came.
      if (!range_.protect(segment.begin, segment.bytes, segment.protection)) {
        return on_finalized(
            link_error("the system refused to protect the module's pages; it is out of memory mappings"));
      }
    }
    on_finalized(FinalizedAlloc(orc::ExecutorAddr(range_.begin())));
  }

 private:
  CodeRange& range_;
  const std::vector<Segment> segments_;
};

void LinkMemory::allocate(const jitlink::JITLinkDylib*, jitlink::LinkGraph& graph, OnAllocatedFunction on_allocated) {
  jitlink::BasicLayout layout(graph);
  const uint64_t page = CodeMemory::page_bytes();
  const auto rounded = [](uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; };
  uint64_t total = 0;
  for (const auto& [group, segment] : layout.segments()) {
    // Only tables that an unwinder would read have another lifetime, and C has none.
    if (group.getMemLifetime() != orc::MemLifetime::Standard)
      return on_allocated(link_error("unexpected section lifetime"));
    // Inline assembly can claim sizes and alignments that no compiler check sees.
    const uint64_t bytes = segment.ContentSize + segment.ZeroFillSize;
    if (bytes > most_image_bytes || segment.Alignment.value() > most_alignment_bytes) {
      return on_allocated(
          link_error(fmt::format("a section has {} bytes and is aligned to {}; the limits are {} and {}", bytes,
                                 segment.Alignment.value(), most_image_bytes, most_alignment_bytes)));
    }
    total += rounded(bytes, page) + std::max<uint64_t>(segment.Alignment.value(), page) - page;
  }
  Expected<CodeRange> range = memory_.allocate(total);
  if (!range) return on_allocated(link_error(range.error().message));
  range_ = std::move(*range);

  std::vector<Segment> segments;
  uintptr_t next = range_.begin();
  for (auto& [group, segment] : layout.segments()) {
    const size_t bytes = rounded(segment.ContentSize + segment.ZeroFillSize, page);
    next = rounded(next, std::max<uint64_t>(segment.Alignment.value(), page));
    segment.Addr = orc::ExecutorAddr(next);
    segment.WorkingMem = reinterpret_cast<char*>(next);
    if (bytes > 0) segments.push_back({next, bytes, protection_of(group.getMemProt())});
    next += bytes;
  }
  if (llvm::Error error = layout.apply()) return on_allocated(std::move(error));
  on_allocated(std::make_unique<InFlight>(range_, std::move(segments)));
}

void LinkMemory::deallocate(std::vector<FinalizedAlloc> finished, OnDeallocatedFunction on_deallocated) {
  // Reached when a link fails behind its last step. The range goes with this object.
  for (FinalizedAlloc& each : finished) each.release();
  on_deallocated(llvm::Error::success());
}

CodeRange LinkMemory::take(FinalizedAlloc finished) {
  CWEB_ASSERT(finished.release().getValue() == range_.begin());
  return std::move(range_);
}

}  // namespace cweb::jit
