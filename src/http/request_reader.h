// Reads requests out of a stream of bytes, in place: what the peer sent is parsed where it lies, and name, value, path
// and body are pointed to, not copied. One a connection that has something to say; owned and used by whoever owns the
// connection. Protocol only: no socket, no route.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "http/chunk_check.h"
#include "http/known_fields.h"
#include "http/piece.h"
#include "http/rejection.h"

namespace cweb::http {

/// Bounds on what a peer may send (RFC 9110 leaves them to the server).
struct RequestLimits {
  size_t target_bytes = 8 * 1024;    ///< beyond it 414
  size_t headers_bytes = 64 * 1024;  ///< beyond it 431
  size_t headers = 512;              ///< beyond it 431
};

class RequestReader {
 public:
  enum class Step {
    need_more,  ///< everything buffered was looked at
    head,       ///< the head is there: look at it, admit_body(), then advance again
    complete,   ///< the whole request is there until next()
    rejected,   ///< not a request that can be answered; see rejection(). The connection has to end.
  };
  explicit RequestReader(const RequestLimits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Room for at least one more byte. Then committed() says how many were put there.
  std::span<char> room();
  void committed(size_t bytes);

  Step advance();
  const Rejection& rejection() const { return rejection_; }

  /// At Step::head: a body above this is a 413. False when the declared length is above it already.
  bool admit_body(size_t limit_bytes);

  // At Step::head and Step::complete.
  std::string_view method() const { return view(method_); }
  /// Origin form, without an absolute target's scheme and authority, with the query.
  std::string_view target() const { return view(target_); }
  std::span<const HeaderPiece> headers() const { return headers_; }
  std::string_view view(Piece piece) const { return {start() + piece.offset, piece.length}; }
  /// The same bytes for a caller that puts NULs behind names and values, or decodes in place.
  char* data(Piece piece) { return start() + piece.offset; }
  /// The first header of this name, whatever its case; null when there is none.
  const HeaderPiece* find_header(std::string_view name) const;
  bool keep_alive() const { return keep_alive_; }
  int minor_version() const { return minor_version_; }
  bool is_chunked() const { return chunks_.has_value(); }
  bool expects_continue() const;
  /// Are there an Upgrade header and an upgrade token in Connection?
  bool asks_upgrade() const { return asks_upgrade_; }
  /// Has the body begun to arrive (then nobody waits for 100 Continue)?
  bool body_bytes_buffered() const { return parsed_ < end_; }

  // At Step::complete. The byte behind the body is a NUL until next() puts the peer's byte back.
  std::span<char> body() const { return {start() + body_.offset, body_.length}; }

  /// Forgets the request that is complete and looks for the next one behind it.
  void next();
  /// After next(): what has arrived behind that request.
  std::string_view buffered() const { return {start(), end_ - begin_}; }
  /// Is nothing buffered and no request begun?
  bool idle() const { return begin_ == end_; }
  /// Has a request's first byte arrived, and its head not yet?
  bool in_head() const { return !idle() && !head_done_; }
  /// Back to how it was made, for another connection; large buffers are given back.
  void reset();

 private:
  struct Parser;
  friend struct Parser;

  char* start() const { return buffer_.get() + begin_; }
  void grow(size_t capacity);
  void start_message();
  Step refuse(const Rejection& rejection);
  Step stopped(int llhttp_error);
  bool skip_empty_lines();
  std::optional<Step> read_with_known_fields();
  Step finish_head();
  void remember_fields();
  Step finish_message();
  void trim_values();
  void use_origin_form();

  const RequestLimits limits_;
  std::unique_ptr<Parser> parser_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;  // one less than what is allocated: room for the NUL behind a body
  size_t begin_ = 0;     // of the request
  size_t parsed_ = 0;    // up to here the parser has seen it
  size_t end_ = 0;       // up to here there are bytes

  Piece method_, target_, body_;
  std::vector<HeaderPiece> headers_;
  KnownFields known_fields_;
  size_t body_limit_ = 0;
  std::optional<ChunkCheck> chunks_;  // while a chunked body is read
  int empty_lines_ = 0;               // before the request
  int minor_version_ = 1;
  bool keep_alive_ = true;
  bool asks_upgrade_ = false;
  bool head_done_ = false;
  bool complete_ = false;
  bool fresh_ = false;  // nothing of a message has been looked at
  char behind_body_ = 0;
  Rejection rejection_;
};

}  // namespace cweb::http
