// An HTTP client of its own make: libcurl, on one connection that it keeps. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pace.h"

namespace cweb::e2e {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  long status = 0;  ///< 0: there was no answer, see `error`
  std::string body;
  Headers headers;    ///< names in lower case
  std::string error;  ///< why there was no answer
  double elapsed_ms = 0;
  bool new_connection = false;  ///< a connection had to be made for it

  /// The value of the first header of this name (lower case); empty when there is none.
  std::string header(const std::string& name) const;
};

class HttpClient {
 public:
  explicit HttpClient(uint16_t port) : HttpClient(port, "http") {}
  /// "http" or "https". A certificate is taken for good whoever signed it.
  HttpClient(uint16_t port, const std::string& scheme);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpResponse get(const std::string& path, const Headers& headers = {});
  HttpResponse post(const std::string& path, const std::string& body, const Headers& headers = {});
  HttpResponse send(const std::string& method, const std::string& path, const std::string& body = {},
                    const Headers& headers = {});

  /// Bound on one request from here on.
  void set_time(std::chrono::milliseconds time) { time_ = time; }

 private:
  struct Curl;
  const std::unique_ptr<Curl> curl_;
  const std::string origin_;
  std::chrono::milliseconds time_ = patience;
};

}  // namespace cweb::e2e
