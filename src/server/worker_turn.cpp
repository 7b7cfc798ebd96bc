// A connection's turn: read, parse, answer, write, and wait for what is missing.
#include "server/management_threads.h"
#include "server/worker.h"

namespace cweb::server {
namespace {

/// Requests of one connection that are answered before the others get their turn.
constexpr int requests_at_once = 64;
/// Of the access log. What does not fit is cut off: it comes from whoever sends it, and is worth no more memory.
constexpr size_t longest_logged_target = 2048;
/// Answers that wait for a slow reader; beyond this its further requests wait too.
constexpr size_t high_water_bytes = size_t{1} << 20;

bool reads_too_slowly(const Connection& connection) {
  return connection.exchange && connection.exchange->out.pending().size() > high_water_bytes;
}

}  // namespace

Worker::Turn Worker::serve(Connection& connection) {
  if (connection.busy) return Turn::keeps_loop;
  if (connection.socket) return serve_socket(connection);
  if (connection.streaming) {
    serve_stream(connection);
    return Turn::keeps_loop;
  }
  if (connection.unread_rest && connection.close_when_sent) discard_input(connection);
  if (serve_requests(connection) == Next::lost_loop) return Turn::lost_loop;
  if (connection.socket) return serve_socket(connection);
  const bool held_back = reads_too_slowly(connection);
  // One write for all answers to what one read brought.
  flush(connection);
  // Requests that waited for the reader are in the buffer already: no event will tell of them.
  if (held_back && !reads_too_slowly(connection)) enqueue(connection);
  settle(connection);
  return Turn::keeps_loop;
}

Worker::Next Worker::serve_requests(Connection& connection) {
  dispatcher_.forget_time();
  for (int i = 0; i < requests_at_once; ++i) {
    if (connection.broken || connection.close_when_sent) return Next::pause;
    if (reads_too_slowly(connection)) return Next::pause;
    const Next next = advance(connection);
    if (next != Next::go_on) return next;
  }
  enqueue(connection);
  poll_is_due_ = true;
  return Next::pause;
}

/// Up to the end of one request, or as far as the bytes go.
Worker::Next Worker::advance(Connection& connection) {
  for (;;) {
    if (!connection.exchange) {
      if (!connection.readable) return Next::pause;
      connection.exchange = take_exchange();
    }
    switch (connection.exchange->reader.advance()) {
      case http::RequestReader::Step::need_more:
        if (!read_some(connection)) return Next::pause;
        break;
      case http::RequestReader::Step::head:
        look_at_head(connection);
        if (connection.close_when_sent) return Next::pause;
        break;
      case http::RequestReader::Step::complete:
        return serve_request(connection);
      case http::RequestReader::Step::rejected: {
        const auto& rejection = connection.exchange->reader.rejection();
        refuse(connection, rejection.status, rejection.sentence);
        return Next::pause;
      }
    }
  }
}

bool Worker::read_some(Connection& connection) {
  if (!connection.readable || connection.peer_ended) return false;
  // A peer that ends without a goodbye ends TLS in both directions: what it is owed leaves before that is read.
  if (options_.tls != nullptr && !connection.socket) flush(connection);
  const std::span<char> room =
      connection.socket ? connection.socket->reader->room() : connection.exchange->reader.room();
  const net::IoResult result = connection.transport->read(room);
  dispatcher_.forget_time();
  switch (result.status) {
    case net::IoResult::Status::ok:
      if (connection.socket) {
        connection.socket->reader->committed(result.bytes);
        using Waiting = Connection::Waiting;
        const bool was_silent = connection.waiting == Waiting::for_message || connection.waiting == Waiting::for_pong;
        if (was_silent) connection.waiting = Waiting::nothing;  // its silence begins anew
      } else {
        connection.exchange->reader.committed(result.bytes);
      }
      metrics_.received_bytes.add(result.bytes);
      connection.readable = result.more || connection.hung_up;
      connection.read_wants_write = false;
      if (connection.waiting == Connection::Waiting::for_body) connection.waiting = Connection::Waiting::nothing;
      return true;
    case net::IoResult::Status::would_block:
      connection.readable = result.more;
      connection.read_wants_write = result.wants_write;
      if (result.more) {
        enqueue(connection);
        poll_is_due_ = true;
      }
      return false;
    case net::IoResult::Status::closed:
      connection.readable = false;
      connection.peer_ended = true;
      return false;
  }
  return false;
}

void Worker::look_at_head(Connection& connection) {
  http::RequestReader& reader = connection.exchange->reader;
  const bool management = is_management_target(reader.target()) && !connection.redirect_only;
  if (!reader.admit_body(management ? options_.max_management_body_bytes : options_.max_body_bytes)) {
    return refuse(connection, 413, "the request body is too large");
  }
  if (reader.expects_continue() && !reader.body_bytes_buffered()) {
    connection.exchange->out.append("HTTP/1.1 100 Continue\r\n\r\n");
    flush(connection);
  }
}

Worker::Next Worker::serve_request(Connection& connection) {
  Exchange& exchange = *connection.exchange;
  if (connection.redirect_only) return redirect(connection);
  if (is_for_management(exchange.reader)) return ask_management(connection);
  if (exchange.reader.asks_upgrade()) {
    const auto match = runtime_.registry().table()->find_socket(path_of(exchange.reader.target()));
    if (match.version && http::asks_for_websocket(exchange.reader)) return open_socket(connection, match);
  }
  const bool keep_alive = exchange.reader.keep_alive() && !draining_;
  if (access_stream_) note_for_log(exchange, true);
  const size_t answer = exchange.out.bytes().size();
  // While the call runs the loop may go to another thread, which leaves the request alone and sends the output.
  begin_call(connection);
  Dispatcher::Outcome outcome = dispatcher_.answer(exchange, keep_alive);
  if (outcome.kept_loop) {
    in_handler_ = nullptr;
    connection.busy = false;
    if (access_stream_) log_answer(connection, answer);
    finish_request(connection, outcome.keep_alive);
    return Next::go_on;
  }
  loop_->post([this, &connection, outcome = std::move(outcome)] {
    connection.busy = false;
    if (connection.given_up) return close(connection);
    const size_t answer = connection.exchange->out.bytes().size();
    connection.exchange->out.append(outcome.detached_answer);
    if (access_stream_) log_answer(connection, answer);
    finish_request(connection, outcome.keep_alive);
    enqueue(connection);
  });
  return Next::lost_loop;
}

bool Worker::is_for_management(const http::RequestReader& reader) const {
  const std::string_view target = reader.target();
  if (is_management_target(target)) return true;
  if (!options_.asks_management_for_root || path_of(target) != "/") return false;
  if (reader.method() != "GET" && reader.method() != "HEAD") return false;
  const runtime::RouteTable& table = *runtime_.registry().table();
  return table.find(reader.method(), "/").kind == runtime::RouteMatch::Kind::no_such_path &&
         table.find_socket("/").version == nullptr;
}

Worker::Next Worker::ask_management(Connection& connection) {
  Exchange& exchange = *connection.exchange;
  const bool keep_alive = exchange.reader.keep_alive() && !draining_;
  ManagementRequest request = make_management_request(exchange.reader);
  request.peer = connection.peer;
  request.is_https = options_.tls != nullptr;
  request.draining = draining_;
  ManagementThreads::Done done = [this, &connection, keep_alive](ManagementAnswer answer) {
    // The output is the loop's, which may be sending what is in it.
    loop_->post([this, &connection, keep_alive, answer = std::move(answer)]() mutable {
      connection.busy = false;
      if (answer.stream) return open_stream(connection, std::move(answer));
      const size_t start = connection.exchange->out.bytes().size();
      append_management_answer(*connection.exchange, answer, keep_alive, options_.every_answers_headers);
      if (access_stream_) log_answer(connection, start);
      metrics_.management.add(answer.status / 100);
      finish_request(connection, keep_alive);
      enqueue(connection);
    });
  };
  if (access_stream_) note_for_log(exchange, true);
  connection.busy = true;
  if (management_.submit(request, done)) {
    connection.deadline.disarm();
    return Next::pause;
  }
  connection.busy = false;
  const size_t start = exchange.out.bytes().size();
  append_management_answer(exchange,
                           {.status = 503,
                            .content_type = "text/plain; charset=utf-8",
                            .headers = {{"Retry-After", "1"}},
                            .body = "too many management calls are waiting: try again in a second\n"},
                           keep_alive, options_.every_answers_headers);
  metrics_.management.add(5);
  if (access_stream_) log_answer(connection, start);
  finish_request(connection, keep_alive);
  return Next::go_on;
}

void Worker::refuse(Connection& connection, int status, std::string_view sentence) {
  metrics_.count_refusal(status);
  const size_t start = connection.exchange->out.bytes().size();
  http::append_plain_answer(connection.exchange->out.bytes(),
                            {.status = status,
                             .keep_alive = false,
                             .further = connection.redirect_only ? std::string_view() : options_.every_answers_headers},
                            sentence, connection.exchange->reader.method() == "HEAD");
  if (access_stream_) {
    note_for_log(*connection.exchange, false);
    log_answer(connection, start);
  }
  connection.close_when_sent = true;
  connection.unread_rest = true;
  // No event tells of what is there already.
  if (connection.readable) enqueue(connection);
}

void Worker::note_for_log(Exchange& exchange, bool whole) const {
  const http::RequestReader& reader = exchange.reader;
  LoggedRequest& logged = *exchange.logged;
  logged.method = reader.method();
  logged.target = reader.target().substr(0, longest_logged_target);
  logged.protocol = !whole ? "" : reader.minor_version() == 0 ? "HTTP/1.0" : "HTTP/1.1";
  logged.module.clear();
  logged.start = options_.metrics->clock().now();
}

/// The answer is what the output has from `start` on.
void Worker::log_answer(const Connection& connection, size_t start) {
  const LoggedRequest& logged = *connection.exchange->logged;
  const TickClock& clock = options_.metrics->clock();
  const auto answer = http::measure_answer(std::string_view(connection.exchange->out.bytes()).substr(start));
  AccessRecord record{.peer = connection.peer,
                      .connection = connection.id,
                      .method = logged.method,
                      .target = logged.target,
                      .protocol = logged.protocol,
                      .status = answer.status,
                      .body_bytes = answer.body_bytes,
                      .duration_s = clock.seconds(TickClock::between(logged.start, clock.now())),
                      .module = logged.module};
  clock_gettime(CLOCK_REALTIME, &record.time);
  access_stream_->write(record);
}

void Worker::finish_request(Connection& connection, bool keep_alive) {
  connection.exchange->reader.next();
  connection.waiting = Connection::Waiting::nothing;  // the next request has time of its own
  if (!keep_alive) connection.close_when_sent = true;
}

void Worker::flush(Connection& connection) {
  if (!connection.exchange) return;
  http::OutputBuffer& out = connection.exchange->out;
  while (!out.empty() && !connection.broken) {
    const net::IoResult result = connection.transport->write(out.pending());
    if (result.status == net::IoResult::Status::closed) connection.broken = true;
    if (result.status != net::IoResult::Status::ok) return;
    if (result.bytes < out.pending().size() && connection.waiting == Connection::Waiting::for_write) {
      connection.waiting = Connection::Waiting::nothing;  // progress: the time for it starts again
    }
    metrics_.sent_bytes.add(result.bytes);
    out.sent(result.bytes);
  }
}

/// Nothing can be done for this connection now: decides what it waits for, or ends it.
void Worker::settle(Connection& connection) {
  if (connection.busy) return;
  if (connection.broken) return close(connection);
  if (connection.queued) return;
  if (connection.exchange && !connection.exchange->out.empty()) {
    return wait_for(connection, Connection::Waiting::for_write, write_deadlines_);
  }
  if (connection.close_when_sent) {
    if (!connection.unread_rest || connection.peer_ended) return close(connection);
    // Closing with unread bytes would reset the connection and could destroy the answer on its way: our side ends, and
    // what the peer still sends is thrown away for a moment.
    if (connection.waiting != Connection::Waiting::for_end) connection.transport->shut_down_write();
    return wait_for(connection, Connection::Waiting::for_end, end_deadlines_);
  }
  if (connection.peer_ended) return close(connection);
  if (!connection.exchange || connection.exchange->reader.idle()) {
    if (draining_) return close(connection);
    if (connection.exchange) give_back(std::move(connection.exchange));
    connection.waiting = Connection::Waiting::nothing;
    return wait_for(connection, Connection::Waiting::for_request, idle_deadlines_);
  }
  wait_for(connection,
           connection.exchange->reader.in_head() ? Connection::Waiting::for_head : Connection::Waiting::for_body,
           request_deadlines_);
}

/// Arms the deadline unless it is armed for this already: waiting goes on, it does not start again. Last thing that is
/// done in a turn: the connection may be gone.
void Worker::wait_for(Connection& connection, Connection::Waiting what, net::DeadlineList& deadlines) {
  if (!watch(connection)) {
    if (!connection.socket) return close(connection);
    connection.broken = true;
    return enqueue(connection);
  }
  if (connection.waiting == what && connection.deadline.armed()) return;
  connection.waiting = what;
  deadlines.arm(connection.deadline, loop_->now_ms());
}

void Worker::discard_input(Connection& connection) {
  // Bounded: the deadline ends a peer that never stops.
  char thrown_away[16 * 1024];
  for (int i = 0; i < 64 && connection.readable; ++i) {
    const net::IoResult result = connection.transport->read(thrown_away);
    if (result.status != net::IoResult::Status::ok) connection.readable = result.more;
    if (result.status == net::IoResult::Status::would_block) break;
    if (result.status == net::IoResult::Status::closed) connection.peer_ended = true;
  }
  if (connection.readable) enqueue(connection);
}

void Worker::count_timeout(Connection::Waiting waiting) {
  switch (waiting) {
    case Connection::Waiting::nothing:
    case Connection::Waiting::for_message:
    case Connection::Waiting::for_thread:
    case Connection::Waiting::for_event:
      return;
    case Connection::Waiting::for_pong:
      return metrics_.count_timeout(TimedOut::pong);
    case Connection::Waiting::for_close:
      return metrics_.count_timeout(TimedOut::close);
    case Connection::Waiting::for_request:
      return metrics_.count_timeout(TimedOut::idle);
    case Connection::Waiting::for_handshake:
      metrics_.failed_handshakes.add();
      return metrics_.count_timeout(TimedOut::handshake);
    case Connection::Waiting::for_head:
      return metrics_.count_timeout(TimedOut::in_head);
    case Connection::Waiting::for_body:
      return metrics_.count_timeout(TimedOut::in_body);
    case Connection::Waiting::for_write:
      return metrics_.count_timeout(TimedOut::in_write);
    case Connection::Waiting::for_end:
      return metrics_.count_timeout(TimedOut::in_end);
  }
}

void Worker::deadline_passed(Connection& connection) {
  // Who is served next makes progress; its turn arms the deadline again.
  if (connection.busy) return;
  if (connection.socket) return socket_deadline_passed(connection);
  if (connection.queued) return;
  if (connection.waiting == Connection::Waiting::for_event) return ping_stream(connection);
  count_timeout(connection.waiting);
  const bool in_request =
      connection.waiting == Connection::Waiting::for_head || connection.waiting == Connection::Waiting::for_body;
  if (!in_request) return close(connection);
  refuse(connection, 408, "the request did not arrive in time");
  flush(connection);
  settle(connection);
}

}  // namespace cweb::server
