// One loop's life: its listener, its connections, and the turn in which they are served. Everything here is done by
// whoever drives the loop; the thread may change between any two steps, so nothing is kept on a stack across a call
// into a module.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/log_throttle.h"
#include "base/unique_fd.h"
#include "net/deadline_list.h"
#include "net/loop.h"
#include "net/tls_credentials.h"
#include "runtime/calling_thread.h"
#include "runtime/fault_sink.h"
#include "runtime/loop_gate.h"
#include "runtime/runtime.h"
#include "server/access_log.h"
#include "server/connection.h"
#include "server/dispatch.h"
#include "server/socket_directory.h"
#include "server/socket_mail.h"
#include "server/websocket_options.h"

namespace cweb::server {

class ManagementThreads;

struct WorkerOptions {
  http::RequestLimits limits;
  size_t max_body_bytes;
  size_t max_management_body_bytes;
  bool asks_management_for_root;
  ServerMetrics* metrics;
  SocketDirectory* sockets;
  WebSocketOptions websockets;
  AccessLog* access_log = nullptr;           ///< null: none is written
  const net::TlsCredentials* tls = nullptr;  ///< null: the port speaks plain HTTP
  std::string every_answers_headers;         ///< lines; empty for none
  uint16_t https_port = 0;                   ///< where the redirecting port leads
};

/// What a loop accepts connections from.
struct WorkerSockets {
  UniqueFd main;
  UniqueFd redirect;  ///< whose every answer is the way to HTTPS; may be none
};

class Worker {
 public:
  static Expected<std::unique_ptr<Worker>> create(size_t index, WorkerSockets sockets, const WorkerOptions& options,
                                                  runtime::Runtime& runtime, ManagementThreads& management,
                                                  ConnectionLimit& limit);
  ~Worker();

  runtime::LoopGate& gate() { return gate_; }

  /// Any thread: no new connections; idle ones are closed, the others after their answer.
  void start_draining();
  /// Any thread: closes what is left and ends the loop; `ended` is called by its last driver.
  void finish(std::function<void()> ended);
  /// Any thread.
  size_t open_connections() const { return open_connections_.load(std::memory_order_relaxed); }

  /// For Connection: it has something to do.
  void enqueue(Connection& connection);
  /// For Connection: its peer may take more of what is sent to its socket.
  void flush_socket(Connection& connection);

 private:
  class Acceptor;
  /// Does the thread still own the loop?
  enum class Turn { keeps_loop, lost_loop };
  /// What a connection's serving comes to after one request.
  enum class Next { go_on, pause, lost_loop };

  Worker(size_t index, std::unique_ptr<net::Loop> loop, const WorkerOptions& options, runtime::Runtime& runtime,
         ManagementThreads& management, ConnectionLimit& limit);

  // The loop's turn (worker.cpp).
  void drive();
  void handle_deadlines();
  int time_to_sleep_ms() const;
  Expected<void> listen(UniqueFd listener, bool redirect_only);
  void accept_some(Acceptor& acceptor);
  void pause_accepting(Acceptor& acceptor);
  void add_connection(UniqueFd socket, const net::PeerAddress& peer, bool redirect_only);
  ConnectionLimit::Place find_place();
  bool close_longest_idle();
  void turn_away(Connection& connection);
  bool watch(Connection& connection);
  void close(Connection& connection);
  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);

  // A connection's turn (worker_turn.cpp).
  Turn serve(Connection& connection);
  Next serve_requests(Connection& connection);
  Next advance(Connection& connection);
  Next serve_request(Connection& connection);
  bool is_for_management(const http::RequestReader& reader) const;
  Next ask_management(Connection& connection);
  void look_at_head(Connection& connection);
  void refuse(Connection& connection, int status, std::string_view sentence);
  void finish_request(Connection& connection, bool keep_alive);
  void note_for_log(Exchange& exchange, bool whole) const;
  void log_answer(const Connection& connection, size_t start);
  bool read_some(Connection& connection);
  void flush(Connection& connection);
  void settle(Connection& connection);
  void wait_for(Connection& connection, Connection::Waiting what, net::DeadlineList& deadlines);
  void discard_input(Connection& connection);
  void deadline_passed(Connection& connection);
  void count_timeout(Connection::Waiting waiting);

  // Handshakes of TLS, and the way to it (worker_tls.cpp).
  std::unique_ptr<net::Transport> make_transport(UniqueFd socket, bool redirect_only) const;
  bool shake_hands(Connection& connection);
  void handshake_failed(Connection& connection);
  Turn serve_next_handshake();
  Next redirect(Connection& connection);

  // Calls that cannot be ended (worker_given_up.cpp).
  void begin_call(Connection& connection);
  void give_up(const std::shared_ptr<runtime::CallingThread>& thread, uint64_t call,
               const std::shared_ptr<runtime::ModuleVersion>& version);
  void answer_given_up(const std::shared_ptr<runtime::CallingThread>& thread, uint64_t call,
                       const std::shared_ptr<runtime::ModuleVersion>& version);
  Connection* find_call(const runtime::CallingThread& thread, uint64_t call) const;
  void abandon(Connection& connection, const runtime::FaultAnswer& answer);

  // Answers that go on (worker_streams.cpp).
  void open_stream(Connection& connection, ManagementAnswer answer);
  void serve_stream(Connection& connection);
  void settle_stream(Connection& connection);
  void ping_stream(Connection& connection);
  void end_stream(Connection& connection);

  // A WebSocket's turn (worker_sockets.cpp).
  Next open_socket(Connection& connection, const runtime::SocketMatch& match);
  Turn serve_socket(Connection& connection);
  Next read_messages(Connection& connection);
  Next read_frame(Connection& connection);
  Next deliver_message(Connection& connection);
  Next call_on_open(Connection& connection, const runtime::SocketMatch& match, http_request& request);
  Next call_socket(Connection& connection, const runtime::SocketMatch& match, const runtime::SocketCall& call);
  runtime::SocketMatch live_socket(const WebSocket& socket) const;
  void leave_http(Connection& connection);
  Turn settle_socket(Connection& connection);
  Turn end_socket(Connection& connection);
  void forget_socket(Connection& connection);
  void socket_deadline_passed(Connection& connection);
  void read_socket_mail();
  void close_orphaned_sockets();

  const WorkerOptions options_;
  runtime::Runtime& runtime_;
  ManagementThreads& management_;
  ConnectionLimit& limit_;
  const std::unique_ptr<net::Loop> loop_;
  runtime::LoopGate gate_;
  LoopMetrics& metrics_;
  AccessStream* const access_stream_;  // null without an access log
  Dispatcher dispatcher_;

  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> to_serve_;
  /// A handshake takes as much time as a hundred requests: one is done each time the loop has looked for events, behind
  /// everything else that there is to do.
  std::deque<Connection*> to_shake_hands_;
  bool handshake_is_due_ = false;
  /// Whose request is being answered by a handler. Who takes the loop over meanwhile sends the answers before it.
  Connection* in_handler_ = nullptr;
  std::vector<std::unique_ptr<Exchange>> spare_exchanges_;
  net::DeadlineList idle_deadlines_;
  net::DeadlineList request_deadlines_;
  net::DeadlineList handshake_deadlines_;
  net::DeadlineList write_deadlines_;
  net::DeadlineList end_deadlines_;
  net::DeadlineList accept_pauses_;
  net::DeadlineList ping_deadlines_;
  net::DeadlineList close_deadlines_;
  net::DeadlineList thread_deadlines_;
  net::DeadlineList stream_deadlines_;
  std::unordered_map<uint64_t, Connection*> streams_;  // by the connection's number
  SocketMail socket_mail_;
  http::WebSocketReaderPool reader_pool_;
  std::map<std::pair<std::string, std::string>, size_t> socket_owners_;  // module and path: how many are open
  size_t message_bytes_ = 0;                                             // that one socket's turn has brought
  size_t turned_away_ = 0;  // connections that are open for the end of their 503 alone
  log::Throttle turned_away_log_;
  log::Throttle pause_log_;
  log::Throttle watch_log_;
  bool poll_is_due_ = false;  // a connection has used up its turn and waits for the next
  int served_ = 0;            // connections since the last poll
  bool draining_ = false;
  std::function<void()> ended_;  // set when the loop is to end
  std::atomic<size_t> open_connections_{0};
};

}  // namespace cweb::server
