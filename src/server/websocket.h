// One open WebSocket: what it was opened with, what its peer is sending, and what waits to be sent to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/websocket_handshake.h"
#include "http/websocket_reader.h"
#include "runtime/websocket_host.h"
#include "server/frame_queue.h"

struct websocket;

namespace cweb::runtime {
class ModuleVersion;
}

namespace cweb::server {

class Connection;
class SocketMail;

/// A message that goes to many sockets: made into a frame once for those that take it compressed, and once for others.
class Broadcast {
 public:
  Broadcast(runtime::WebSocketHost::Kind kind, std::string_view message) : kind_(kind), message_(message) {}
  const std::shared_ptr<const std::string>& frame(const http::WebSocketAgreement& agreement);

 private:
  const runtime::WebSocketHost::Kind kind_;
  const std::string message_;  // copied: what a module gives is not read while others are held up
  std::shared_ptr<const std::string> plain_, compressed_;
};

class WebSocket : public std::enable_shared_from_this<WebSocket> {
 public:
  using Kind = runtime::WebSocketHost::Kind;

  /// What may wait for a peer that reads slowly.
  static constexpr size_t max_waiting_bytes = size_t{16} << 20;

  struct Opening {
    std::string module;  ///< whose socket it is, whichever version
    std::string path;
    std::vector<std::pair<std::string, std::string>> params;
    http::WebSocketAgreement agreement;
    uint64_t id = 0;  ///< rises with each that is opened
  };
  WebSocket(Opening opening, SocketMail& mail, http::WebSocketReaderPool& pool, size_t max_message_bytes);
  ~WebSocket();

  const std::shared_ptr<const Opening> opening_owner;  ///< others may still read it when the socket is gone
  const Opening& opening;

  // Any thread.

  /// 0, or -1 when the socket is closed, closing, or its peer reads too slowly; then it is closed.
  int send(Kind kind, std::string_view message);
  int send(Broadcast& message);
  /// Nothing can be sent behind it. -1 when that is so already.
  int close(uint16_t code, std::string_view reason);
  /// Is a close frame on its way, or the socket gone?
  bool closing() const { return !accepts_.load(std::memory_order_acquire); }
  /// The version whose memory the pointer before was, when it need not be kept for this one.
  [[nodiscard]] std::shared_ptr<runtime::ModuleVersion> set_data(void* data);
  void* data() const;
  uint16_t close_code() const { return close_code_.load(std::memory_order_relaxed); }
  bool is_binary() const { return is_binary_.load(std::memory_order_relaxed); }

  // The driver of its loop.

  /// What is sent from here on the driver will look for by itself, at the end of its turn with this socket.
  void begin_turn();
  /// The frames of a peer's ping or close, and the 101.
  void send_control(std::string frame);
  /// Is there something to send? When there is not, the next send says so to the loop's mail.
  bool has_output();
  std::string_view output() const { return sending_.front(); }
  void sent(size_t count) { sending_.sent(count); }
  /// What waits, as far as the driver knows.
  size_t known_waiting_bytes() const { return known_waiting_; }
  /// Ends sending without a word to the peer.
  void shut() { accepts_.store(false, std::memory_order_release); }

  std::unique_ptr<http::WebSocketReader> reader;  ///< null once it has ended
  /// The callback under way, for who reports that it does not return: set before each.
  struct Running {
    std::string_view callback;
    std::string_view message;  ///< in the reader's buffer, or a part of what arrived
    bool is_binary = false;
  };
  Running running;
  Connection* connection = nullptr;  ///< null before and after
  websocket* handle = nullptr;       ///< what the module knows it by
  /// Where it stands. What comes first in this list has happened first.
  enum class Stage {
    opening,      ///< on_open has not been called
    open,         ///< messages are delivered
    peer_closed,  ///< the peer's close frame was read
    failed,       ///< the peer has broken the protocol
    ending,       ///< on_close has to be called
    ended,        ///< on_close has returned, or there is none
  };
  Stage stage = Stage::opening;
  bool message_waits = false;  ///< the reader's message was not delivered: its module has no thread free
  void note_close(uint16_t code) { close_code_.store(code, std::memory_order_relaxed); }
  void note_kind(bool binary) { is_binary_.store(binary, std::memory_order_relaxed); }

 private:
  template <class Frame>
  int enqueue(Frame frame);

  SocketMail& mail_;
  std::atomic<bool> accepts_{true};  // set under mutex_
  std::atomic<bool> is_binary_{false};
  std::atomic<uint16_t> close_code_{http::close_code::abnormal};
  FrameQueue sending_;        // the driver's
  size_t known_waiting_ = 0;  // the driver's

  mutable std::mutex mutex_;
  FrameQueue queue_;           // guarded by mutex_; goes to sending_ in one piece
  size_t being_sent_ = 0;      // guarded by mutex_; what sending_ had when it was last looked at
  bool driver_looks_ = false;  // guarded by mutex_; there is no need for mail
  void* data_ = nullptr;       // guarded by mutex_
  std::shared_ptr<runtime::ModuleVersion> data_owner_;  // guarded by mutex_; whose memory data_ is
};

}  // namespace cweb::server
