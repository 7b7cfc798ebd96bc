// What modules know sockets by. A module may keep the pointer for as long as it likes: the memory behind it stays what
// it is, and leads nowhere once the socket is gone.
#pragma once

#include <cweb.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace cweb::server {

class WebSocket;

/// Thread-safe. 64 bytes for each socket, for an hour beyond its end.
class SocketHandles {
 public:
  SocketHandles();
  ~SocketHandles();
  SocketHandles(const SocketHandles&) = delete;
  SocketHandles& operator=(const SocketHandles&) = delete;

  /// A handle for an open socket; null when there is no memory for one more.
  websocket* take(std::shared_ptr<WebSocket> socket, uint64_t id, int client_fd);
  /// From here on it leads nowhere.
  void give_back(const websocket* handle);
  /// The socket behind it; null when it is gone, or when this is no handle at all.
  std::shared_ptr<WebSocket> find(const websocket* handle) const;
  /// The id of the socket that it was given for, open or not; 0 when it is no handle.
  uint64_t id_of(const websocket* handle) const;

 private:
  struct Handle;
  struct Closed {
    uint32_t index;
    uint32_t at_s;  ///< monotonic
  };
  Handle* handle_of(const websocket* handle) const;
  /// The place for one more; `most` when there is none.
  uint32_t take_place();

  Handle* handles_ = nullptr;  // reserved at once; memory comes with use
  std::mutex mutex_;
  std::atomic<uint32_t> used_{0};  // places that were ever taken; grows under mutex_
  std::deque<Closed> closed_;      // guarded by mutex_; the longest closed first
};

}  // namespace cweb::server
