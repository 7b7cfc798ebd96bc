// What is read from a request to deploy before anything is compiled: the source out of its body, and the module's name
// out of the source. The first line is the Content-Type, the rest is the body.
#include "base/error.h"
#include "fuzz/support/input.h"
#include "jit/compiler.h"
#include "mgnt/module_name.h"
#include "mgnt/posted_source.h"

namespace {

using namespace cweb;

void check_source(const mgnt::PostedSource& posted, const std::string& body) {
  CWEB_ASSERT(!posted.code.empty() && posted.code.size() <= jit::CompileLimits{}.source_bytes);
  const std::string name = mgnt::guess_module_name(posted.code);
  CWEB_ASSERT(posted.code.find(name) != std::string::npos);
  CWEB_ASSERT(name.find_first_of("\"\\\n") == std::string::npos);
  // Only what the form's decoding may add stands in the source and not in the body.
  CWEB_ASSERT(posted.repaired || posted.code.size() <= body.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  server::ManagementRequest request;
  request.method = "POST";
  request.path = "/mgnt";
  request.headers = {{"Host", "localhost"}, {"Content-Type", std::string(input.line())}};
  request.body = input.rest();
  const auto posted = mgnt::read_posted_source(request);
  if (posted) {
    check_source(*posted, request.body);
  } else {
    const int status = posted.error().status;
    CWEB_ASSERT(status == 400 || status == 413 || status == 422);
    CWEB_ASSERT(!posted.error().message.empty());
  }
  static_cast<void>(mgnt::guess_module_name(request.body));
  return 0;
}
