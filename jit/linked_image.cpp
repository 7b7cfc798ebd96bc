// A linked module version. Any thread; the memory goes with the object.
#include "jit/linked_image.h"

namespace cweb::jit {

LinkedImage::LinkedImage(LinkedParts parts, std::string object, ModuleFacts facts)
    : parts_(std::move(parts)), facts_(std::move(facts)), lines_(std::move(object), parts_.code_sections) {}

void* LinkedImage::symbol(std::string_view name) const {
  const auto found = parts_.symbols.find(std::string(name));
  return found == parts_.symbols.end() ? nullptr : found->second;
}

bool LinkedImage::contains(const void* address) const {
  return parts_.range.contains(reinterpret_cast<uintptr_t>(address));
}

std::span<const std::byte> LinkedImage::memory() const {
  return {reinterpret_cast<const std::byte*>(parts_.range.begin()), parts_.range.bytes()};
}

size_t LinkedImage::readable_bytes(const void* address) const {
  // Code, constants and variables: no page of a finished link is without the right to be read.
  return contains(address) ? parts_.range.begin() + parts_.range.bytes() - reinterpret_cast<uintptr_t>(address) : 0;
}

}  // namespace cweb::jit
