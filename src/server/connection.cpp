#include "server/connection.h"

#include "server/worker.h"

namespace cweb::server {

Connection::Connection(Worker& its_worker, std::unique_ptr<net::Transport> its_transport,
                       const net::PeerAddress& its_peer, uint64_t its_id, ConnectionLimit::Place its_admission)
    : worker(its_worker),
      transport(std::move(its_transport)),
      peer(its_peer),
      id(its_id),
      admission(std::move(its_admission)) {
  deadline.owner = this;
}

Connection::~Connection() = default;

void Connection::on_events(uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP)) broken = true;
  if (events & (EPOLLIN | EPOLLRDHUP)) readable = true;
  if (events & EPOLLRDHUP) hung_up = true;
  if ((events & EPOLLOUT) && read_wants_write) readable = true;
  // What others send to a socket leaves while its own callback runs.
  if (busy && socket) return worker.flush_socket(*this);
  worker.enqueue(*this);
}

}  // namespace cweb::server
