// A request and its answer as cweb.h shows them to a handler. The request's strings lie in the connection's buffer; what
// has to be made lives here until the answer is out.
#pragma once

#include <cweb.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"
#include "runtime/message_map.h"
#include "server/response_page.h"

namespace cweb::server {

/// One a thread: a thread runs one handler at a time.
class RequestParts {
 public:
  static RequestParts& of_this_thread();

  /// Fills both structures from the complete request. Writes NULs behind names and values and decodes the query, all
  /// within the request's own bytes. False when its form data is malformed: the sentence says how.
  bool fill(http::RequestReader& reader, std::string_view method);
  const std::string& fault() const { return fault_; }

  http_request request{};
  http_response response{};
  runtime::ResponseHeaders response_headers;
  ResponsePage& page;

 private:
  RequestParts();
  void fill_headers(http::RequestReader& reader);
  void fill_params(char* query, size_t length);
  bool fill_data(const http::RequestReader& reader);

  using Entries = std::vector<map_entry>;
  map headers_{}, params_{}, data_{};
  Entries header_entries_, param_entries_, data_entries_;
  std::deque<std::string> texts_;  // names and values of form data; their addresses stay
  std::string fault_;
};

}  // namespace cweb::server
