// One TCP connection to the server, byte by byte under the test's control. Blocking, with a bound on every wait: what
// does not come in time fails the test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "tls_session.h"

namespace cweb::e2e {

struct RawResponse {
  int status = 0;  ///< 0: no whole response came; the test has failed already
  std::string version;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The value of the first header of this name, whatever its case; empty when there is none.
  std::string header(std::string_view name) const;
  bool has_header(std::string_view name) const;
};

class RawClient {
 public:
  /// Connects. `receive_buffer_bytes` above 0 makes the kernel keep no more than about this of what is not read.
  explicit RawClient(uint16_t port, int receive_buffer_bytes = 0);

  /// Connects and shakes hands; a server that does not agree fails the test, unless `may_fail`.
  RawClient(uint16_t port, const TlsWish& wish, int receive_buffer_bytes = 0, bool may_fail = false);
  /// Null without TLS.
  TlsSession* tls() { return tls_.get(); }
  /// Has the handshake come to its end?
  bool is_secure() const { return secure_; }

  /// All in one segment, as far as the kernel goes along. False when the connection is gone; the test does not fail.
  bool send(std::string_view bytes);
  /// In segments of `size` bytes: each has left this machine's side before the next is sent.
  bool send_in_segments(std::string_view bytes, size_t size);
  /// Ends this side: the server reads the end of the stream. With TLS there is no word of it: it is cut off.
  void end_sending();

  /// One response with its body. `no_body` for the answer to HEAD.
  RawResponse read_response(bool no_body = false);
  /// send() and read_response().
  RawResponse exchange(std::string_view request);
  /// The next `length` bytes; false when the stream ends before, and then `taken` is what there was.
  bool read_exactly(size_t length, std::string& taken);
  /// What comes before the next `mark`, which is taken too; false when the stream ends before.
  bool read_until(std::string_view mark, std::string& taken);
  /// Waits for bytes and throws them away; how many there were, 0 at the end of the stream.
  size_t read_some();
  /// Everything up to the end of the stream.
  std::string read_to_end();
  /// Does the stream end here, with nothing more sent?
  bool ends();
  /// Did the stream end with a reset instead of in order?
  bool was_reset() const { return was_reset_; }
  /// Is there nothing to read right now? Says nothing of what is on its way.
  bool is_quiet() const;
  /// The port of this side.
  uint16_t local_port() const;
  /// Closes the connection so that the peer sees a reset.
  void reset_connection();

 private:
  bool fill();
  /// Waits until the peer's kernel has all that was sent.
  bool all_arrived() const;
  bool read_chunked(std::string& body);

  UniqueFd fd_;
  std::unique_ptr<TlsSession> tls_;
  bool secure_ = false;
  std::string buffer_;
  bool ended_ = false;
  bool was_reset_ = false;
};

/// "GET /path HTTP/1.1" with a Host and further header lines ("Name: value\r\n").
std::string get_request(std::string_view path, std::string_view header_lines = "");
/// A request with a body and its Content-Length.
std::string request_with_body(std::string_view method, std::string_view path, std::string_view body,
                              std::string_view header_lines = "");

}  // namespace cweb::e2e
