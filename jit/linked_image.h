// A linked module version: memory, names, constructors and lines.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "jit/code_memory.h"
#include "jit/object_lines.h"
#include "runtime/code_image.h"

namespace cweb::jit {

/// What the linker knows of an image when it is done. Addresses lie in `range`.
struct LinkedParts {
  CodeRange range;
  std::unordered_map<std::string, void*> symbols;  ///< those with external linkage that are not hidden
  std::vector<void (*)()> constructors;
  std::vector<CodeSection> code_sections;
};

/// Immutable but for the line tables, which guard themselves.
class LinkedImage final : public CodeImage {
 public:
  /// `object` is what the parts were linked from; kept for its line tables.
  LinkedImage(LinkedParts parts, std::string object, ModuleFacts facts);

  void* symbol(std::string_view name) const override;
  std::span<void (*const)()> constructors() const override { return parts_.constructors; }
  bool contains(const void* address) const override;
  std::span<const std::byte> memory() const override;
  size_t readable_bytes(const void* address) const override;
  std::vector<CodeLocation> locate(uintptr_t pc) const override { return lines_.locate(pc); }
  const ModuleFacts& facts() const override { return facts_; }
  std::string_view object() const override { return lines_.object(); }
  size_t bytes() const override { return parts_.range.bytes(); }

 private:
  const LinkedParts parts_;
  const ModuleFacts facts_;
  const ObjectLines lines_;
};

}  // namespace cweb::jit
