// How bytes get to the peer and back, whatever is in between.
#pragma once

#include <cstddef>
#include <span>

namespace cweb::net {

struct IoResult {
  enum class Status {
    ok,           ///< `bytes` were moved, at least 1
    would_block,  ///< nothing now; an event tells when
    closed,       ///< the peer is gone, or has ended its side (reads)
  };
  Status status;
  size_t bytes = 0;
  /// Of a read: there may be more at once, and no event would tell of it.
  bool more = false;
  /// Of a read that would block: it waits until something can be written.
  bool wants_write = false;
};

/// Non-blocking. Used by the loop that owns the connection.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual int fd() const = 0;
  /// Gets ready to carry bytes, which may take several events from the peer; until it is `ok` nothing is read or
  /// written.
  virtual IoResult handshake() { return {IoResult::Status::ok, 0, true}; }
  virtual IoResult read(std::span<char> into) = 0;
  virtual IoResult write(std::span<const char> from) = 0;
  /// Ends our side: the peer reads what was written and then the end.
  virtual void shut_down_write() = 0;
};

}  // namespace cweb::net
