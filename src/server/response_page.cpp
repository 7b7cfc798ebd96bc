#include "server/response_page.h"

#include <cweb.h>
#include <sys/mman.h>

#include <cstring>

#include "base/error.h"
#include "runtime/module_thread.h"

namespace cweb::server {
namespace {

constexpr size_t page_bytes = 4096;
static_assert(HTTP_RESPONSE_SIZE % page_bytes == 0, "the buffer must end where the guard page begins");

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
  std::memset(body_, 0, HTTP_RESPONSE_SIZE);
}

}  // namespace cweb::server
