// Answers that go on behind their head for as long as their reader stays: what the stream gives is sent as fast as it
// is read, and nothing is taken from it before that.
#include "server/worker.h"

namespace cweb::server {
namespace {

/// Of a stream, at a time: formatting them takes time that no other thread can take over.
constexpr size_t piece_bytes = size_t{32} << 10;
/// Pieces of one stream before the others get their turn.
constexpr int pieces_at_once = 4;

void append_piece(http::OutputBuffer& out, std::string_view piece, bool in_chunks) {
  if (piece.empty()) return;
  if (in_chunks) {
    http::append_chunk(out.bytes(), piece);
  } else {
    out.append(piece);
  }
}

}  // namespace

/// The access log has its line here: how long the stream will be nobody knows.
void Worker::open_stream(Connection& connection, ManagementAnswer answer) {
  Exchange& exchange = *connection.exchange;
  const size_t start = exchange.out.bytes().size();
  append_stream_head(exchange, answer, options_.every_answers_headers);
  if (access_stream_) log_answer(connection, start);
  metrics_.management.add(answer.status / 100);
  connection.waiting = Connection::Waiting::nothing;
  if (exchange.reader.method() == "HEAD") {
    connection.close_when_sent = true;
    return enqueue(connection);
  }
  const bool in_chunks = exchange.reader.minor_version() > 0;
  connection.streaming = std::make_unique<Streaming>(std::move(answer.stream), in_chunks);
  streams_.emplace(connection.id, &connection);
  if (draining_) return end_stream(connection);
  // By its number: the connection may be gone when it is its turn.
  connection.streaming->source->wake_by([this, id = connection.id] {
    loop_->post([this, id] {
      if (const auto found = streams_.find(id); found != streams_.end()) enqueue(*found->second);
    });
  });
  enqueue(connection);
}

void Worker::serve_stream(Connection& connection) {
  // Requests behind this one are not answered any more; that the peer has gone shows here too.
  if (connection.readable) {
    discard_input(connection);
    if (connection.readable) poll_is_due_ = true;
  }
  http::OutputBuffer& out = connection.exchange->out;
  std::string piece;
  for (int i = 0; i < pieces_at_once; ++i) {
    flush(connection);
    if (connection.broken || connection.peer_ended || !out.empty()) return settle_stream(connection);
    piece.clear();
    connection.streaming->source->take(piece, piece_bytes);
    if (piece.empty()) return settle_stream(connection);
    append_piece(out, piece, connection.streaming->in_chunks);
    connection.waiting = Connection::Waiting::nothing;  // its silence begins anew
  }
  enqueue(connection);
  poll_is_due_ = true;
}

void Worker::settle_stream(Connection& connection) {
  if (connection.broken || connection.peer_ended) return close(connection);
  if (connection.queued) return;
  if (!connection.exchange->out.empty()) return wait_for(connection, Connection::Waiting::for_write, write_deadlines_);
  wait_for(connection, Connection::Waiting::for_event, stream_deadlines_);
}

/// Keeps what is between the two from taking the connection for a dead one, and finds out whether it is.
void Worker::ping_stream(Connection& connection) {
  std::string ping;
  connection.streaming->source->ping(ping);
  append_piece(connection.exchange->out, ping, connection.streaming->in_chunks);
  connection.waiting = Connection::Waiting::nothing;
  flush(connection);
  settle_stream(connection);
}

/// When the server ends. What was not taken from the stream by now is not sent.
void Worker::end_stream(Connection& connection) {
  if (connection.streaming->in_chunks) connection.exchange->out.append(http::last_chunk);
  connection.streaming.reset();
  streams_.erase(connection.id);
  connection.close_when_sent = true;
  connection.waiting = Connection::Waiting::nothing;
  flush(connection);
  // Nobody waits for a peer that does not read.
  if (!connection.broken && !connection.exchange->out.empty()) {
    return wait_for(connection, Connection::Waiting::for_end, end_deadlines_);
  }
  settle(connection);
}

}  // namespace cweb::server
