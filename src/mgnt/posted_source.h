// The body of a deploy request -> C source. Pure functions; nothing here compiles or decides who may.
#pragma once

#include <expected>
#include <string>

#include "server/management.h"

namespace cweb::mgnt {

struct PostedSource {
  std::string code;
  bool repaired = false;    ///< newlines were lost on the way and put back
  std::string file = {};    ///< of the modules' directory that it was read from; empty when it was posted
  std::string module = {};  ///< whose old version it is; empty for a deploy that may be any module
};

/// A body that is no source. `status` is the HTTP status: 400, 413 or 422.
struct RefusedBody {
  int status = 400;
  std::string message;
};

/// Understands the source itself under any content type, a multipart field `code`, an urlencoded `code=`, and the
/// newline-less body of `curl -d @file`.
std::expected<PostedSource, RefusedBody> read_posted_source(const server::ManagementRequest& request);

}  // namespace cweb::mgnt
