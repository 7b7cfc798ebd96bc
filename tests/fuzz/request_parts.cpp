// A complete request as a handler is shown it: path, parameters, headers and form data are made within the request's
// own bytes, and the request behind it must not notice.
#include "server/request_parts.h"

#include "base/error.h"
#include "fuzz/support/input.h"
#include "fuzz/support/request_feed.h"
#include "http/form.h"
#include "server/dispatch.h"

namespace {

using namespace cweb;
using http::RequestReader;
using Step = RequestReader::Step;

constexpr size_t body_limit = 4096;
constexpr std::string_view behind = "GET /behind?a=b HTTP/1.1\r\nHost: behind\r\n\r\n";

size_t length_of_map(const map* entries) {
  size_t bytes = 0;
  for (size_t i = 0; i < entries->size; ++i) {
    const map_entry& entry = entries->entries[i];
    CWEB_ASSERT(entry.key != nullptr && entry.value != nullptr);
    bytes += std::strlen(entry.key) + std::strlen(static_cast<const char*>(entry.value));
  }
  return bytes;
}

/// The query by the parser that makes new texts.
void check_params(const map* params, const std::string& query) {
  const auto fields = http::parse_urlencoded(query);
  if (!fields) return;
  CWEB_ASSERT(fields->size() == params->size);
  for (size_t i = 0; i < params->size; ++i) {
    CWEB_ASSERT((*fields)[i].first.c_str() == std::string_view(params->entries[i].key));
    CWEB_ASSERT((*fields)[i].second.c_str() == std::string_view(static_cast<const char*>(params->entries[i].value)));
  }
}

void check_headers(const map* shown, const fuzz::Headers& sent) {
  CWEB_ASSERT(shown->size == sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    CWEB_ASSERT(sent[i].first == shown->entries[i].key);
    CWEB_ASSERT(sent[i].second == static_cast<const char*>(shown->entries[i].value));
  }
}

void check_management(const RequestReader& reader) {
  if (!server::is_management_target(reader.target())) return;
  const server::ManagementRequest request = server::make_management_request(reader);
  CWEB_ASSERT(request.path == "/mgnt" || request.path.starts_with("/mgnt/"));
  CWEB_ASSERT(request.path.find('?') == std::string::npos);
  CWEB_ASSERT(request.headers == fuzz::headers_of(reader));
  CWEB_ASSERT(request.body == std::string_view(reader.body().data(), reader.body().size()));
}

void check_parts(RequestReader& reader) {
  check_management(reader);
  const std::string target(reader.target()), body(reader.body().begin(), reader.body().end());
  const fuzz::Headers headers = fuzz::headers_of(reader);
  server::RequestParts& parts = server::RequestParts::of_this_thread();
  if (!parts.fill(reader, std::string(reader.method()))) {
    CWEB_ASSERT(!parts.fault().empty());
    return;
  }
  const http_request& request = parts.request;
  const size_t question = std::min(target.find('?'), target.size());
  CWEB_ASSERT(request.path == target.substr(0, question));
  check_params(request.params, target.substr(std::min(question + 1, target.size())));
  check_headers(request.headers, headers);
  CWEB_ASSERT(std::string_view(request.body, static_cast<size_t>(request.content_length)) == body);
  CWEB_ASSERT(request.body[request.content_length] == '\0');
  CWEB_ASSERT(length_of_map(request.data) <= body.size());
}

/// To the next complete request. False when there is none.
bool next_request(RequestReader& reader) {
  for (;;) {
    const Step step = reader.advance();
    if (step == Step::complete) return true;
    if (step != Step::head || !reader.admit_body(body_limit)) return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  RequestReader reader(http::RequestLimits{});
  fuzz::feed(reader, fuzz::Input(data, size).rest());
  fuzz::feed(reader, behind);
  size_t requests = 0;
  std::string last;
  while (next_request(reader)) {
    ++requests;
    last = reader.target();
    check_parts(reader);
    reader.next();
  }
  // The same again where nothing writes into the buffer.
  RequestReader untouched(http::RequestLimits{});
  fuzz::feed(untouched, fuzz::Input(data, size).rest());
  fuzz::feed(untouched, behind);
  for (; next_request(untouched); untouched.next()) {
    CWEB_ASSERT(requests-- > 0);
    if (requests == 0) CWEB_ASSERT(untouched.target() == last);
  }
  CWEB_ASSERT(requests == 0);
  return 0;
}
