#include "mgnt/posted_source.h"

#include <string_view>
#include <utility>

#include "http/form.h"
#include "jit/compiler.h"
#include "jit/source_repair.h"

namespace cweb::mgnt {
namespace {

using Refused = std::unexpected<RefusedBody>;

Refused refused(int status, std::string message) {
  return Refused(RefusedBody{status, std::move(message)});
}

/// A command that works, for whoever sent a body that does not.
std::string working_command(const server::ManagementRequest& request) {
  const std::string* host = request.header("host");
  return "curl --data-binary @modules/counter.c http://" + (host == nullptr ? "localhost:8080" : *host) + "/mgnt";
}

std::expected<std::string, RefusedBody> multipart_code(const server::ManagementRequest& request,
                                                       std::string_view content_type) {
  auto fields = http::parse_multipart(content_type, request.body);
  if (!fields) return refused(400, fields.error().message + "; try: " + working_command(request));
  for (http::FormField& field : *fields) {
    if (field.name == "code") return std::move(field.value);
  }
  return refused(400, "the form has no field named code: with curl, send it as -F code=@module.c");
}

std::expected<std::string, RefusedBody> urlencoded_code(const server::ManagementRequest& request) {
  auto fields = http::parse_urlencoded(request.body);
  if (!fields) {
    return refused(400, fields.error().message + ": was the source sent unencoded? With curl, --data-urlencode " +
                            "code@module.c encodes it, and --data-binary @module.c needs no encoding");
  }
  for (auto& [name, value] : *fields) {
    if (name == "code") return std::move(value);
  }
  return refused(400, "the form has no field named code");
}

}  // namespace

std::expected<PostedSource, RefusedBody> read_posted_source(const server::ManagementRequest& request) {
  const std::string* content_type_header = request.header("content-type");
  const std::string_view content_type = content_type_header == nullptr ? std::string_view() : *content_type_header;
  const std::string type = http::media_type(content_type);
  const bool is_urlencoded = type == "application/x-www-form-urlencoded";
  PostedSource posted;
  if (type == "multipart/form-data") {
    auto code = multipart_code(request, content_type);
    if (!code) return std::unexpected(code.error());
    posted.code = std::move(*code);
  } else if (is_urlencoded && request.body.starts_with("code=")) {
    auto code = urlencoded_code(request);
    if (!code) return std::unexpected(code.error());
    posted.code = std::move(*code);
  } else {
    posted.code = request.body;
  }
  if (posted.code.empty()) {
    return refused(400, "there is no source in the request: send a C file, for example " + working_command(request));
  }
  constexpr size_t limit = jit::CompileLimits{}.source_bytes;
  if (posted.code.size() > limit) {
    return refused(413, "the source is " + std::to_string(posted.code.size()) + " bytes long; at most " +
                            std::to_string(limit) + " bytes are compiled");
  }
  // What curl sends for -d @file says that it is urlencoded, and is not: it is the file without its newlines.
  if (is_urlencoded && jit::lost_its_newlines(posted.code)) {
    auto restored = jit::restore_newlines(posted.code);
    if (!restored) return refused(422, std::move(restored.error().message));
    posted.code = std::move(*restored);
    posted.repaired = true;
  }
  return posted;
}

}  // namespace cweb::mgnt
