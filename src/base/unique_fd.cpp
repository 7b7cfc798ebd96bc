#include "base/unique_fd.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cweb {
namespace {

/// One bit for each descriptor that a process may have by default limits; those beyond are not guarded.
constexpr size_t guarded_descriptors = size_t{1} << 20;
std::array<std::atomic<uint64_t>, guarded_descriptors / 64> server_descriptors{};

}  // namespace

bool is_server_descriptor(int fd) {
  if (fd < 0) return false;
  if (fd <= 2) return true;
  const auto number = static_cast<size_t>(fd);
  if (number >= guarded_descriptors) return false;
  return (server_descriptors[number / 64].load(std::memory_order_relaxed) >> number % 64 & 1) != 0;
}

void mark_server_descriptor(int fd, bool owned) {
  if (fd < 0 || static_cast<size_t>(fd) >= guarded_descriptors) return;
  const auto number = static_cast<size_t>(fd);
  const uint64_t bit = uint64_t{1} << number % 64;
  if (owned) {
    server_descriptors[number / 64].fetch_or(bit, std::memory_order_relaxed);
  } else {
    server_descriptors[number / 64].fetch_and(~bit, std::memory_order_relaxed);
  }
}

}  // namespace cweb
