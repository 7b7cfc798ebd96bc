// One client's connection: what it sent, what it is being answered, and what its time is measured against. Belongs to
// one loop for life and is touched by that loop's driver alone, except that a thread whose call lost the loop owns the
// request until it posts the answer (`busy`). What is to be sent stays the loop's.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "http/request_reader.h"
#include "http/response_head.h"
#include "net/deadline_list.h"
#include "net/loop.h"
#include "net/peer_address.h"
#include "net/transport.h"
#include "runtime/calling_thread.h"
#include "server/connection_limit.h"
#include "server/management.h"
#include "server/websocket.h"

namespace cweb::server {

class Worker;

/// What the access log wants to know of a request once it is answered: by then a handler may have changed its bytes.
struct LoggedRequest {
  std::string method, target, module;
  std::string_view protocol;
  uint64_t start = 0;  ///< ticks
};

/// What a connection needs while it has something to say; idle connections have none.
struct Exchange {
  explicit Exchange(const http::RequestLimits& limits) : reader(limits) {}
  http::RequestReader reader;
  http::OutputBuffer out;
  std::unique_ptr<LoggedRequest> logged;  ///< null without an access log
};

/// An answer that goes on behind its head.
struct Streaming {
  std::unique_ptr<AnswerStream> source;
  bool in_chunks;  ///< else it goes on until the connection ends
};

class Connection final : public net::EventTarget {
 public:
  /// Without a place it is one that is turned away.
  Connection(Worker& worker, std::unique_ptr<net::Transport> transport, const net::PeerAddress& peer, uint64_t id,
             ConnectionLimit::Place admission);
  ~Connection() override;

  void on_events(uint32_t events) override;

  Worker& worker;
  const std::unique_ptr<net::Transport> transport;
  const net::PeerAddress peer;
  const uint64_t id;  ///< unique in the life of the process
  const ConnectionLimit::Place admission;
  std::unique_ptr<Exchange> exchange;
  std::shared_ptr<WebSocket> socket;     ///< once it has changed to WebSocket
  std::unique_ptr<Streaming> streaming;  ///< while its answer goes on: the last one here
  net::Deadline deadline;

  /// The thread of the call under way, and its number there. Compared with, never followed.
  const runtime::CallingThread* caller = nullptr;
  uint64_t call = 0;

  /// What the deadline that is armed is about.
  enum class Waiting {
    nothing,
    for_request,
    for_handshake,  ///< of TLS
    for_head,
    for_body,
    for_write,
    for_end,
    for_message,  ///< of a WebSocket's peer, or anything else
    for_pong,
    for_close,   ///< the peer's answer to a close frame
    for_thread,  ///< of the module's, to deliver a message with
    for_event,   ///< of a stream
  };
  Waiting waiting = Waiting::nothing;

  bool watched = false;           ///< its loop gets its events
  bool readable = false;          ///< there may be something to read
  bool hung_up = false;           ///< the peer has ended its side; what it sent before may still be unread
  bool peer_ended = false;        ///< everything it sent was read
  bool broken = false;            ///< reset or failed: nothing can be sent
  bool handshaking = false;       ///< TLS is not ready to carry anything
  bool redirect_only = false;     ///< came to the port whose every answer is the way to HTTPS
  bool read_wants_write = false;  ///< a read goes on when something can be written
  bool busy = false;              ///< a call or a management answer is under way: the request is its thread's
  bool given_up = false;          ///< the call under way cannot be ended; the peer was told, and nothing else follows
  bool queued = false;            ///< in the worker's list of connections to serve
  bool close_when_sent = false;   ///< the answer under way is the last
  bool unread_rest = false;       ///< the peer may still be sending what nobody will read
  std::list<std::unique_ptr<Connection>>::iterator place;  ///< in the worker's list of connections
};

}  // namespace cweb::server
