// The head of an answer as bytes, and the buffer that answers wait in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cweb::http {

/// Bytes on their way to a peer: appended at the end, taken from the front.
class OutputBuffer {
 public:
  void append(std::string_view text) { bytes_.append(text); }
  std::string& bytes() { return bytes_; }
  std::span<const char> pending() const { return std::span(bytes_).subspan(sent_); }
  bool empty() const { return sent_ == bytes_.size(); }
  void sent(size_t count);
  /// Empties it and gives large memory back.
  void reset();

 private:
  std::string bytes_;
  size_t sent_ = 0;
};

/// What every answer has. Further headers are appended by the caller between begin_head() and end_head().
struct ResponseHead {
  int status = 200;
  uint64_t content_length = 0;
  bool keep_alive = true;
  /// HTTP/1.0 peers are told that the connection stays (RFC 9112, 9.3).
  bool http10 = false;
  /// Header lines that this server puts on every answer.
  std::string_view further = {};
};

/// Status line, Date, Content-Length (where the status allows content), Connection where it is not the default.
void begin_head(std::string& out, const ResponseHead& head);
inline void add_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}
inline void end_head(std::string& out) {
  out.append("\r\n");
}

/// The same for an answer whose length nobody knows: it comes in chunks (RFC 9112, 7.1), or to an HTTP/1.0 peer until
/// the connection ends. `head.content_length` does not count.
void begin_stream_head(std::string& out, const ResponseHead& head);
/// One chunk. `bytes` are not empty: that would be the last one.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// The first digit of the status of the answer that begins at `start` with its status line.
inline int status_digit(const std::string& out, size_t start) {
  return out[start + std::string_view("HTTP/1.1 ").size()] - '0';
}

/// What somebody who did not make an answer can read off it.
struct AnswerMeasures {
  int status;
  size_t body_bytes;
};
AnswerMeasures measure_answer(std::string_view answer);

/// A whole answer with a short text, for what cweb itself has to say.
void append_plain_answer(std::string& out, const ResponseHead& head, std::string_view sentence, bool head_only,
                         std::string_view extra_headers = {});

}  // namespace cweb::http
