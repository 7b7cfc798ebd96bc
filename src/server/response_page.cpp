#include "server/response_page.h"

#include <cweb.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "runtime/module_thread.h"

namespace cweb::server {
namespace {

constexpr size_t page_bytes = 4096;
static_assert(HTTP_RESPONSE_SIZE % page_bytes == 0, "the buffer must end where the guard page begins");

/// What is looked at in one go.
constexpr size_t step = 256;
static_assert(HTTP_RESPONSE_SIZE % step == 0);

using IsZero = bool (*)(const char*, const char*);

/// Both are multiples of `step` from the page's start.
__attribute__((target("avx2"))) bool is_zero_avx2(const char* begin, const char* end) {
  using Vector = long long __attribute__((vector_size(32)));
  Vector seen{};
  for (const char* at = begin; at < end; at += step) {
    const auto* const vectors = reinterpret_cast<const Vector*>(at);
    seen |= (vectors[0] | vectors[1]) | (vectors[2] | vectors[3]);
    seen |= (vectors[4] | vectors[5]) | (vectors[6] | vectors[7]);
  }
  return (seen[0] | seen[1] | seen[2] | seen[3]) == 0;
}

/// Reading is worth it where it takes half of the time that writing does.
const IsZero is_zero = __builtin_cpu_supports("avx2") ? is_zero_avx2 : nullptr;

}  // namespace

ResponsePage& ResponsePage::of_this_thread() {
  thread_local ResponsePage page;
  return page;
}

ResponsePage::ResponsePage()
    : mapping_(
          mmap(nullptr, HTTP_RESPONSE_SIZE + page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  CWEB_ASSERT(mapping_ != MAP_FAILED);
  body_ = static_cast<char*>(mapping_);
  const int guarded = mprotect(body_ + HTTP_RESPONSE_SIZE, page_bytes, PROT_NONE);
  CWEB_ASSERT(guarded == 0);
  runtime::set_response_buffer(body_, HTTP_RESPONSE_SIZE);
}

ResponsePage::~ResponsePage() {
  runtime::set_response_buffer(nullptr, 0);
  munmap(mapping_, HTTP_RESPONSE_SIZE + page_bytes);
}

void ResponsePage::clear() {
  const size_t front = std::min<size_t>((written_ + step - 1) / step * step, HTTP_RESPONSE_SIZE);
  written_ = 0;
  std::memset(body_, 0, front);
  char* const rest = body_ + front;
  char* const end = body_ + HTTP_RESPONSE_SIZE;
  if (is_zero == nullptr || !is_zero(rest, end)) std::memset(rest, 0, static_cast<size_t>(end - rest));
}

}  // namespace cweb::server
