#include "http/parser_fault.h"

#include <llhttp.h>

namespace cweb::http {

Rejection parser_fault(int error) {
  switch (error) {
    case HPE_INVALID_METHOD:
      return {501, "this method is not known here"};
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
      return wrong_version;
    case HPE_INVALID_URL:
      return {400, "the request target has a character that must not stand there"};
    case HPE_INVALID_CONSTANT:
      return {400, "the request line must be method, target and HTTP version"};
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
