#include "http/parser_fault.h"

#include <llhttp.h>

#include <algorithm>

#include "http/characters.h"

namespace cweb::http {
namespace {

constexpr Rejection bad_request_line{400, "the request line must be method, target and HTTP version"};

/// A method that is one, but unknown, is another thing than a method with a tab behind it.
bool begins_with_a_method(std::string_view request) {
  const auto end = std::ranges::find_if_not(request, is_token);
  return end == request.end() || *end == ' ';
}

}  // namespace

Rejection parser_fault(int error, std::string_view reason, std::string_view request) {
  switch (error) {
    case HPE_INVALID_METHOD:
      return begins_with_a_method(request) ? Rejection{501, "this method is not known here"} : bad_request_line;
    case HPE_INVALID_VERSION:
      // The same error says that something stands behind the version, or that it is none.
      return reason == "Invalid HTTP version" ? wrong_version : bad_request_line;
    case HPE_PAUSED_H2_UPGRADE:
      return wrong_version;
    case HPE_INVALID_URL:
      return {400, "the request target has a character that must not stand there"};
    case HPE_INVALID_CONSTANT:
      return bad_request_line;
    case HPE_UNEXPECTED_SPACE:
      return {400, "there must be no white space between the request line and the first header"};
    case HPE_INVALID_HEADER_TOKEN:
      return {400, "a header's name or value has a character that must not stand there"};
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return {400, "a request must have at most one Content-Length, and not with Transfer-Encoding"};
    case HPE_INVALID_CONTENT_LENGTH:
      return {400, "Content-Length must be a number in decimal digits"};
    case HPE_INVALID_TRANSFER_ENCODING:
      return {400, "the only Transfer-Encoding that is understood here is chunked, alone and once"};
    case HPE_INVALID_CHUNK_SIZE:
      return {400, "a chunk must begin with its size in hexadecimal digits and nothing else"};
    case HPE_CR_EXPECTED:
    case HPE_LF_EXPECTED:
    case HPE_STRICT:
      return {400, "every line must end in CR LF"};
    default:
      return {400, "this is not an HTTP request"};
  }
}

}  // namespace cweb::http
