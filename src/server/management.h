// How the server asks for management answers, without knowing who gives them. src/mgnt implements it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/peer_address.h"

namespace cweb::server {

/// A request whose path is /mgnt or below it. Owns its text: it is answered on another thread than the loop's.
struct ManagementRequest {
  std::string method;
  std::string path;                                          ///< without the query string
  std::string query;                                         ///< without the '?'; empty when there is none
  std::vector<std::pair<std::string, std::string>> headers;  ///< as sent, in order
  std::string body;
  net::PeerAddress peer;
  int minor_version = 1;  ///< of HTTP/1
  bool draining = false;  ///< the server is shutting down
  bool is_https = false;  ///< it came through TLS that ends here

  /// The value of the first header of this name (case does not matter), or null.
  const std::string* header(std::string_view name) const;
};

/// What an answer goes on with behind its head, piece by piece, for as long as its reader stays. Used by the loop of
/// its connection.
class AnswerStream {
 public:
  virtual ~AnswerStream() = default;
  /// `wake` is called when something has come after take() gave nothing: on any thread, and never after the stream's
  /// end.
  virtual void wake_by(std::function<void()> wake) = 0;
  /// Appends what has come, about `most_bytes` of it; nothing when there is nothing.
  virtual void take(std::string& out, size_t most_bytes) = 0;
  /// Appends what means nothing, to be sent after a time of silence.
  virtual void ping(std::string& out) = 0;
};

struct ManagementAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;  ///< further headers
  std::string body;
  std::unique_ptr<AnswerStream> stream;  ///< instead of the body; the last answer of its connection
};

class ManagementHandler {
 public:
  virtual ~ManagementHandler() = default;
  /// Called on a worker thread, several at a time; may block for as long as a deploy takes.
  virtual ManagementAnswer handle(const ManagementRequest& request) = 0;
};

}  // namespace cweb::server
