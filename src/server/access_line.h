// One line of the access log, as text. Whatever a client sent, a line is one line: what could end it, or a quoted part
// of it, is escaped.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "net/peer_address.h"

namespace cweb::server {

enum class AccessLogFormat {
  common,  ///< NCSA's, as in Apache and nginx: host - - [time] "request line" status bytes
  json,    ///< one object a line
};

struct AccessRecord {
  timespec time{};  ///< when the answer was made
  net::PeerAddress peer;
  uint64_t connection = 0;    ///< unique in the life of the process
  std::string_view method;    ///< as far as it came
  std::string_view target;    ///< as far as it came, with the query
  std::string_view protocol;  ///< "HTTP/1.1"; empty for a request that was refused before it had come
  int status = 0;
  uint64_t body_bytes = 0;  ///< of the answer, without its head
  double duration_s = 0;    ///< from the complete request to the answer
  std::string_view module;  ///< whose handler was called; empty when none was
};

/// Appends the line with its line end.
void append_access_line(std::string& out, AccessLogFormat format, const AccessRecord& record);

}  // namespace cweb::server
