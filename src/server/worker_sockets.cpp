// A WebSocket's turn: from the handshake over its messages, one after the other, to its end.
#include "http/form.h"
#include "runtime/fault_sink.h"
#include "runtime/module_thread.h"
#include "server/fault_context.h"
#include "server/request_parts.h"
#include "server/worker.h"

namespace cweb::server {
namespace {

using runtime::SocketCall;
using Stage = WebSocket::Stage;

/// Frames and reads of one socket before the others get their turn.
constexpr int steps_at_once = 64;
/// Bytes, in messages as well as in what is written: unpacking and writing take time that no other thread can take
/// over.
constexpr size_t bytes_at_once = size_t{1} << 20;
/// While more waits for a slow reader nothing more is read from it.
constexpr size_t high_water_bytes = size_t{1} << 20;

std::string control_frame(http::WebSocketOpcode opcode, std::string_view payload) {
  std::string frame;
  http::append_frame(frame, opcode, payload);
  return frame;
}

bool has_thread_for(const runtime::ModuleVersion& version) {
  return !version.threads->is_full();
}

const runtime::WebSocketConfig& config_of(const runtime::SocketMatch& match) {
  return match.version->config.websockets[match.socket];
}

std::string_view name_of(SocketCall::Callback callback) {
  switch (callback) {
    case SocketCall::Callback::on_open:
      return "on_open";
    case SocketCall::Callback::on_message:
      return "on_message";
    case SocketCall::Callback::on_close:
      return "on_close";
  }
  return "callback";
}

/// While on_message runs, on its thread.
class ShownMessage final : runtime::ShownMemory {
 public:
  explicit ShownMessage(std::string_view message) : message_(message) {}

 private:
  bool contains(const void* address) const override {
    const auto offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(message_.data());
    return message_.data() != nullptr && offset <= message_.size();
  }

  const std::string_view message_;
};

bool reads_too_slowly(const WebSocket& socket) {
  return socket.known_waiting_bytes() > high_water_bytes;
}

}  // namespace

/// The version that the socket's callbacks are now. None when its module has not got the path, or is gone.
runtime::SocketMatch Worker::live_socket(const WebSocket& socket) const {
  const runtime::SocketMatch match = runtime_.registry().table()->find_socket(socket.opening.path);
  if (match.version && match.version->config.name == socket.opening.module) return match;
  return {};
}

Worker::Next Worker::open_socket(Connection& connection, const runtime::SocketMatch& match) {
  Exchange& exchange = *connection.exchange;
  const bool keep_alive = exchange.reader.keep_alive() && !draining_;
  if (access_stream_) {
    note_for_log(exchange, true);
    exchange.logged->module = match.version->config.name;
  }
  std::string& out = exchange.out.bytes();
  const size_t answer = out.size();
  const auto refuse = [&](int status, std::string_view sentence, std::string_view headers) {
    metrics_.count_refusal(status);
    http::append_plain_answer(out,
                              {.status = status, .keep_alive = keep_alive, .further = options_.every_answers_headers},
                              sentence, false, headers);
    if (access_stream_) log_answer(connection, answer);
    finish_request(connection, keep_alive);
    return Next::go_on;
  };
  auto agreement = http::agree_on_websocket(exchange.reader, /*offer_deflate=*/true);
  if (!agreement) return refuse(agreement.error().status, agreement.error().sentence, agreement.error().headers);
  const std::string_view target = exchange.reader.target();
  const std::string_view path = path_of(target);
  auto params = http::parse_urlencoded(target.substr(std::min(path.size() + 1, target.size())));
  if (!params) return refuse(400, params.error().message, {});
  if (match.version->threads->is_full_of_stuck_calls()) return refuse(503, stuck_sentence, "Retry-After: 30\r\n");
  if (match.version->quarantined.load(std::memory_order_relaxed)) {
    return refuse(503, quarantine_sentence, "Retry-After: 30\r\n");
  }
  if (draining_ || !has_thread_for(*match.version)) {
    return refuse(503, "no socket can be opened now: try again", "Retry-After: 1\r\n");
  }
  // What on_open is shown. It writes into the request: what is needed of that is taken before.
  std::string socket_path(path);
  RequestParts& parts = RequestParts::of_this_thread();
  if (!parts.fill(exchange.reader, exchange.reader.method())) return refuse(400, parts.fault(), {});
  WebSocket::Opening opening{.module = match.version->config.name,
                             .path = std::move(socket_path),
                             .params = std::move(*params),
                             .agreement = std::move(*agreement),
                             .id = options_.sockets->next_id()};
  const auto socket = std::make_shared<WebSocket>(std::move(opening), socket_mail_, reader_pool_,
                                                  options_.websockets.max_message_bytes);
  // Before anybody can find it and send to it.
  socket->begin_turn();
  http::append_switching_protocols(out, socket->opening.agreement);
  const std::span<const char> answers = exchange.out.pending();
  socket->send_control(std::string(answers.data(), answers.size()));
  if (!options_.sockets->add(socket, connection.transport->fd())) {
    connection.broken = true;  // too many for the memory there is
    return Next::pause;
  }
  if (access_stream_) log_answer(connection, answer);
  exchange.out.sent(answers.size());
  connection.socket = socket;
  socket->connection = &connection;
  ++socket_owners_[{socket->opening.module, socket->opening.path}];
  metrics_.sockets_opened.add();
  return call_on_open(connection, match, parts.request);
}

/// The request stays until on_open has returned: it may look at it.
Worker::Next Worker::call_on_open(Connection& connection, const runtime::SocketMatch& match, http_request& request) {
  WebSocket& socket = *connection.socket;
  socket.stage = Stage::open;
  if (config_of(match).on_open == nullptr) return Next::pause;
  SocketDirectory::show_request(socket.handle, &request);
  const ShownRequest shown(RequestParts::of_this_thread(), connection.exchange->reader);
  const Next next = call_socket(
      connection, match, {.callback = SocketCall::Callback::on_open, .socket = match.socket, .handle = socket.handle});
  // Whether or not the loop was lost: this is the thread of the call.
  SocketDirectory::show_request(nullptr, nullptr);
  return next == Next::lost_loop ? next : Next::pause;
}

/// The request is over; what came behind it are frames.
void Worker::leave_http(Connection& connection) {
  http::RequestReader& reader = connection.exchange->reader;
  reader.next();
  connection.socket->reader->feed(reader.buffered());
  give_back(std::move(connection.exchange));
  connection.waiting = Connection::Waiting::nothing;
}

Worker::Turn Worker::serve_socket(Connection& connection) {
  WebSocket& socket = *connection.socket;
  socket.begin_turn();
  if (connection.exchange) leave_http(connection);
  const bool held_back = reads_too_slowly(socket);
  if (read_messages(connection) == Next::lost_loop) return Turn::lost_loop;
  flush_socket(connection);
  // What waited for the reader is in the buffer already: no event will tell of it.
  if (held_back && !reads_too_slowly(socket)) enqueue(connection);
  return settle_socket(connection);
}

Worker::Next Worker::read_messages(Connection& connection) {
  WebSocket& socket = *connection.socket;
  message_bytes_ = 0;
  for (int i = 0; i < steps_at_once && message_bytes_ < bytes_at_once; ++i) {
    if (connection.broken || socket.stage != Stage::open || reads_too_slowly(socket)) return Next::pause;
    const Next next = socket.message_waits ? deliver_message(connection) : read_frame(connection);
    if (next != Next::go_on) return next;
  }
  enqueue(connection);
  poll_is_due_ = true;
  return Next::pause;
}

Worker::Next Worker::read_frame(Connection& connection) {
  using Step = http::WebSocketReader::Step;
  WebSocket& socket = *connection.socket;
  http::WebSocketReader& reader = *socket.reader;
  switch (reader.advance()) {
    case Step::need_more:
      if (read_some(connection)) return Next::go_on;
      reader.rest();
      return Next::pause;
    case Step::message:
      metrics_.socket_messages.add();
      message_bytes_ += reader.message().size();
      return deliver_message(connection);
    case Step::ping:
      if (!socket.closing()) socket.send_control(control_frame(http::WebSocketOpcode::pong, reader.payload()));
      return Next::go_on;
    case Step::pong:
      return Next::go_on;
    case Step::close:
      socket.stage = Stage::peer_closed;
      socket.note_close(reader.close_code());
      socket.close(reader.close_code(), {});
      return Next::pause;
    case Step::failed:
      socket.stage = Stage::failed;
      socket.close(reader.fault().code, reader.fault().sentence);
      return Next::pause;
  }
  return Next::pause;
}

Worker::Next Worker::deliver_message(Connection& connection) {
  WebSocket& socket = *connection.socket;
  socket.message_waits = false;
  // Behind our close frame nothing is answered any more.
  if (socket.closing()) return Next::go_on;
  const runtime::SocketMatch match = live_socket(socket);
  socket.message_waits = match.version && !has_thread_for(*match.version);
  if (socket.message_waits) return Next::pause;
  if (match.version && match.version->quarantined) {
    socket.close(http::close_code::try_again_later, "the module is quarantined: it has failed too often");
    return Next::go_on;
  }
  if (!match.version || config_of(match).on_message == nullptr) return Next::go_on;
  socket.note_kind(socket.reader->is_binary());
  const std::span<const char> message = socket.reader->message();
  return call_socket(connection, match,
                     {.callback = SocketCall::Callback::on_message,
                      .socket = match.socket,
                      .handle = socket.handle,
                      .message = message.data(),
                      .length = message.size()});
}

/// The socket is the call's until it returns, except that its loop goes on sending what others, or the call, send to
/// it.
Worker::Next Worker::call_socket(Connection& connection, const runtime::SocketMatch& match, const SocketCall& call) {
  runtime::ModuleVersion& version = *match.version;
  begin_call(connection);
  connection.socket->running = {.callback = name_of(call.callback),
                                .message = {call.message, call.length},
                                .is_binary = connection.socket->is_binary()};
  const ShownMessage shown({call.message, call.length});
  const runtime::CallResult result = runtime::call_socket(runtime_.monitor(), gate_, version, call);
  if (result.ending == runtime::CallResult::Ending::stopped) {
    const runtime::FaultAnswer answer =
        report_ended_call(version, *result.fault,
                          describe_message(name_of(call.callback), connection.socket->opening.path,
                                           {call.message, call.length}, connection.socket->is_binary()));
    connection.socket->close(http::close_code::internal_error, "the module has failed: fault " + answer.id);
  }
  if (result.kept_loop) {
    in_handler_ = nullptr;
    connection.busy = false;
    runtime::call_done(runtime_.retirer(), version);
    return Next::go_on;
  }
  runtime::detached_call_done(runtime_.retirer(), version);
  loop_->post([this, &connection] {
    connection.busy = false;
    enqueue(connection);
  });
  return Next::lost_loop;
}

void Worker::flush_socket(Connection& connection) {
  WebSocket& socket = *connection.socket;
  for (size_t written = 0; !connection.broken && socket.has_output();) {
    if (written > bytes_at_once) {
      // Others send to it faster than it can be written: the loop has more to do.
      socket_mail_.post(connection.socket);
      poll_is_due_ = true;
      return;
    }
    const std::string_view output = socket.output();
    const net::IoResult result = connection.transport->write(output);
    if (result.status == net::IoResult::Status::closed) connection.broken = true;
    if (result.status != net::IoResult::Status::ok) return;
    // Progress: the time for it starts again.
    if (connection.waiting == Connection::Waiting::for_write) connection.waiting = Connection::Waiting::nothing;
    written += result.bytes;
    metrics_.sent_bytes.add(result.bytes);
    socket.sent(result.bytes);
  }
}

/// Nothing can be done for this socket now: decides what it waits for, or ends it.
Worker::Turn Worker::settle_socket(Connection& connection) {
  using Waiting = Connection::Waiting;
  WebSocket& socket = *connection.socket;
  const bool all_sent = socket.known_waiting_bytes() == 0;
  const bool said_farewell = socket.stage == Stage::peer_closed || socket.stage == Stage::failed;
  if (socket.stage >= Stage::ending || connection.broken || connection.close_when_sent || connection.peer_ended ||
      (said_farewell && all_sent)) {
    return end_socket(connection);
  }
  if (connection.queued) return Turn::keeps_loop;
  if (!all_sent) {
    wait_for(connection, Waiting::for_write, write_deadlines_);
  } else if (socket.message_waits) {
    wait_for(connection, Waiting::for_thread, thread_deadlines_);
  } else if (socket.closing()) {
    wait_for(connection, Waiting::for_close, close_deadlines_);
  } else {
    const bool pinged = connection.waiting == Waiting::for_pong;
    wait_for(connection, pinged ? Waiting::for_pong : Waiting::for_message, ping_deadlines_);
  }
  return Turn::keeps_loop;
}

/// Its end is told to the module, then the connection is closed like any other.
Worker::Turn Worker::end_socket(Connection& connection) {
  WebSocket& socket = *connection.socket;
  socket.shut();
  if (socket.stage < Stage::ending) {
    socket.stage = Stage::ending;
    options_.sockets->leave(socket);
    // The peer need not wait for on_close.
    if (!connection.broken) connection.transport->shut_down_write();
    connection.waiting = Connection::Waiting::nothing;
    connection.deadline.disarm();
  }
  if (socket.stage == Stage::ending) {
    const runtime::SocketMatch match = live_socket(socket);
    const bool has_callback = match.version && config_of(match).on_close != nullptr;
    if (has_callback && !has_thread_for(*match.version)) {
      wait_for(connection, Connection::Waiting::for_thread, thread_deadlines_);
      return Turn::keeps_loop;
    }
    socket.stage = Stage::ended;
    const SocketCall call{.callback = SocketCall::Callback::on_close, .socket = match.socket, .handle = socket.handle};
    if (has_callback && call_socket(connection, match, call) == Next::lost_loop) return Turn::lost_loop;
  }
  forget_socket(connection);
  connection.close_when_sent = true;
  connection.unread_rest = !connection.broken;
  if (connection.readable) enqueue(connection);
  settle(connection);
  return Turn::keeps_loop;
}

void Worker::forget_socket(Connection& connection) {
  WebSocket& socket = *connection.socket;
  socket.shut();
  options_.sockets->forget(socket);
  socket.connection = nullptr;
  // Its buffer is this loop's, and others may hold the socket for a moment longer.
  socket.reader.reset();
  const auto owner = socket_owners_.find({socket.opening.module, socket.opening.path});
  if (--owner->second == 0) socket_owners_.erase(owner);
  metrics_.sockets_ended.add();
  connection.socket.reset();
}

void Worker::socket_deadline_passed(Connection& connection) {
  WebSocket& socket = *connection.socket;
  // Who is served next has said something.
  if (connection.queued && connection.waiting == Connection::Waiting::for_message) return;
  count_timeout(connection.waiting);
  switch (connection.waiting) {
    case Connection::Waiting::for_message:
      connection.waiting = Connection::Waiting::for_pong;
      ping_deadlines_.arm(connection.deadline, loop_->now_ms());
      socket.send_control(control_frame(http::WebSocketOpcode::ping, {}));
      flush_socket(connection);
      if (connection.broken) enqueue(connection);
      return;
    case Connection::Waiting::for_thread:
      return enqueue(connection);
    case Connection::Waiting::for_pong:
      socket.close(http::close_code::going_away, "nothing was heard of you for too long");
      flush_socket(connection);
      break;
    default:
      break;
  }
  connection.broken = true;
  enqueue(connection);
}

void Worker::read_socket_mail() {
  for (const auto& socket : socket_mail_.take()) {
    Connection* const connection = socket->connection;
    if (connection == nullptr) continue;
    if (connection->busy) {
      flush_socket(*connection);
    } else {
      enqueue(*connection);
    }
  }
}

/// A module that was removed leaves sockets behind that nobody will ever speak for, and so does one that has given a
/// path up when another takes it.
void Worker::close_orphaned_sockets() {
  const runtime::RouteTable& table = *runtime_.registry().table();
  for (const auto& [owner, count] : socket_owners_) {
    const auto& [module, path] = owner;
    const runtime::SocketMatch match = table.find_socket(path);
    if (match.version ? match.version->config.name == module : table.has_module(module)) continue;
    for (const auto& connection : connections_) {
      if (!connection->socket) continue;
      const WebSocket::Opening& opening = connection->socket->opening;
      if (opening.module != module || opening.path != path) continue;
      connection->socket->close(http::close_code::going_away, "the module was removed");
    }
  }
}

}  // namespace cweb::server
