// The buffer that `res->body` points to: HTTP_RESPONSE_SIZE bytes whose end lies against a page that nobody may touch,
// so that writing past it is a fault at once and not somebody else's broken data.
#pragma once

#include <cstddef>

namespace cweb::server {

/// One a thread; zeroed. The calling thread's, made at its first use.
class ResponsePage {
 public:
  static ResponsePage& of_this_thread();
  ~ResponsePage();
  ResponsePage(const ResponsePage&) = delete;
  ResponsePage& operator=(const ResponsePage&) = delete;

  char* body() const { return body_; }
  /// All zero again.
  void clear();

 private:
  ResponsePage();
  void* mapping_;
  char* body_;
};

}  // namespace cweb::server
