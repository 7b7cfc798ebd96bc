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
  /// All zero again. Cheaper after written() than to write all of it each time.
  void clear();
  /// A hint: this many bytes at the front are an answer. There may be more behind them, of a handler that uses the rest
  /// for its notes.
  void written(size_t bytes) { written_ = bytes; }

 private:
  ResponsePage();
  void* mapping_;
  char* body_;
  size_t written_ = 0;
};

}  // namespace cweb::server
