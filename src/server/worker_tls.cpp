// Handshakes of TLS, which come before a connection's first request, and the port that leads to HTTPS.
#include "net/tcp_transport.h"
#include "net/tls_transport.h"
#include "server/worker.h"

namespace cweb::server {
namespace {

constexpr uint16_t https_port_by_default = 443;

/// A Host header's value without its port.
std::string_view name_of_host(std::string_view host) {
  const size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  return host.substr(0, host.find(':', bracket));
}

}  // namespace

std::unique_ptr<net::Transport> Worker::make_transport(UniqueFd socket, bool redirect_only) const {
  if (options_.tls == nullptr || redirect_only) return std::make_unique<net::TcpTransport>(std::move(socket));
  return std::make_unique<net::TlsTransport>(std::move(socket), options_.tls->current());
}

Worker::Turn Worker::serve_next_handshake() {
  Connection& connection = *to_shake_hands_.front();
  to_shake_hands_.pop_front();
  connection.queued = false;
  // The request often comes together with the handshake's end.
  return shake_hands(connection) ? serve(connection) : Turn::keeps_loop;
}

/// True when the connection is ready for its first request. Else it waits, or is gone.
bool Worker::shake_hands(Connection& connection) {
  if (connection.broken) {
    metrics_.failed_handshakes.add();
    close(connection);
    return false;
  }
  const auto& transport = static_cast<const net::TlsTransport&>(*connection.transport);
  const net::IoResult result = connection.transport->handshake();
  if (result.status == net::IoResult::Status::closed) {
    handshake_failed(connection);
    return false;
  }
  if (result.status == net::IoResult::Status::would_block) {
    if (draining_) {
      close(connection);
    } else {
      wait_for(connection, Connection::Waiting::for_handshake, handshake_deadlines_);
    }
    return false;
  }
  (transport.was_resumed() ? metrics_.resumed_handshakes : metrics_.full_handshakes).add();
  connection.handshaking = false;
  // Whoever serves it arms the next one.
  connection.deadline.disarm();
  connection.readable = result.more || connection.hung_up;
  connection.waiting = Connection::Waiting::nothing;
  return true;
}

/// Failures are counted and not logged: anybody can make as many of them as he likes.
void Worker::handshake_failed(Connection& connection) {
  metrics_.failed_handshakes.add();
  if (!static_cast<const net::TlsTransport&>(*connection.transport).speaks_plain_http()) return close(connection);
  connection.handshaking = false;
  connection.exchange = take_exchange();
  http::append_plain_answer(connection.exchange->out.bytes(), {.status = 400, .keep_alive = false},
                            "this port speaks HTTPS, and the request came as plain HTTP: use https://",
                            /*head_only=*/false);
  metrics_.count_refusal(400);
  connection.close_when_sent = true;
  connection.unread_rest = true;
  connection.readable = true;
  flush(connection);
  enqueue(connection);
}

/// Answers a complete request with its own target at the port of HTTPS. 308 and not 301: the method and the body stay.
Worker::Next Worker::redirect(Connection& connection) {
  Exchange& exchange = *connection.exchange;
  const http::RequestReader& reader = exchange.reader;
  const bool keep_alive = reader.keep_alive() && !draining_;
  const http::HeaderPiece* const host = reader.find_header("host");
  const std::string_view name = host == nullptr ? std::string_view() : name_of_host(reader.view(host->value));
  if (access_stream_) note_for_log(exchange, true);
  std::string& out = exchange.out.bytes();
  const size_t start = out.size();
  http::ResponseHead head{.status = 308, .keep_alive = keep_alive, .http10 = reader.minor_version() == 0};
  const bool head_only = reader.method() == "HEAD";
  if (name.empty() || !reader.target().starts_with('/')) {
    head.status = 400;
    metrics_.count_refusal(400);
    http::append_plain_answer(out, head, "this port only leads to HTTPS, and needs a Host and a path for that",
                              head_only);
  } else {
    std::string location = "Location: https://";
    location.append(name);
    if (options_.https_port != https_port_by_default) location.append(":").append(std::to_string(options_.https_port));
    location.append(reader.target()).append("\r\n");
    metrics_.redirects.add();
    http::append_plain_answer(out, head, "this is served by HTTPS", head_only, location);
  }
  if (access_stream_) log_answer(connection, start);
  finish_request(connection, keep_alive);
  return Next::go_on;
}

}  // namespace cweb::server
