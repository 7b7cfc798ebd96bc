// A request and its answer as cweb.h shows them to a handler. The request's strings lie in the connection's buffer;
// what has to be made lives here until the answer is out.
#pragma once

#include <cweb.h>

#include <deque>
#include <string>
#include <string_view>

#include "http/request_reader.h"
#include "runtime/message_map.h"
#include "runtime/module_thread.h"
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
  /// Is this an address in what lives here?
  bool contains(const void* address) const;

  http_request request{};
  http_response response{};
  runtime::MessageMap response_headers{runtime::MessageMap::Values::headers};
  ResponsePage& page;

 private:
  RequestParts();
  void fill_headers(http::RequestReader& reader);
  void fill_params(char* query, size_t length);
  bool fill_data(const http::RequestReader& reader);

  runtime::MessageMap headers_{runtime::MessageMap::Values::pointers};
  runtime::MessageMap params_{runtime::MessageMap::Values::pointers};
  runtime::MessageMap data_{runtime::MessageMap::Values::pointers};
  std::deque<runtime::ServerText> texts_;  // names and values of form data; their addresses stay
  std::string_view bytes_;                 // the request, in the connection's buffer
  std::string fault_;
};

/// While a handler, or on_open, is shown the parts of a request.
class ShownRequest final : runtime::ShownMemory {
 public:
  ShownRequest(const RequestParts& parts, const http::RequestReader& reader)
      : parts_(parts), buffered_(reader.buffered()) {}

 private:
  bool contains(const void* address) const override;

  const RequestParts& parts_;
  const std::string_view buffered_;
};

}  // namespace cweb::server
