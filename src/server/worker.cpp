#include "server/worker.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "net/listener.h"

namespace cweb::server {
namespace {

constexpr int64_t idle_ms = 60'000;
constexpr int64_t request_ms = 10'000;
constexpr int64_t handshake_ms = 10'000;
constexpr int64_t write_ms = 30'000;
constexpr int64_t end_ms = 2'000;
constexpr int64_t accept_pause_ms = 100;
constexpr int64_t log_interval_ms = 10'000;
constexpr int64_t close_ms = 5'000;
/// A message that found none of its module's threads free is tried again.
constexpr int64_t thread_ms = 10;
/// When all places are taken, a client that has said nothing for so long makes room for a new one.
constexpr int64_t idle_before_eviction_ms = 1'000;
/// Connections of a loop that are turned away and wait for their peer to have read why.
constexpr size_t max_turned_away = 64;
/// One turn of accepting, so that a flood of connections does not starve those that are open.
constexpr int accepted_at_once = 64;
/// Connections that are served before events and deadlines are looked for again: those that others send to all the time
/// always have something to do.
constexpr int served_at_once = 512;
constexpr size_t kept_exchanges = 256;
/// Proxies that are set up with the usual minute do not end a stream that says something so often.
constexpr int64_t longest_stream_silence_ms = 15'000;

}  // namespace

/// A listening socket's events.
class Worker::Acceptor final : public net::EventTarget {
 public:
  Acceptor(Worker& worker, UniqueFd listener, bool its_redirect_only)
      : redirect_only(its_redirect_only), worker_(worker), listener_(std::move(listener)) {
    pause.owner = this;
  }
  int fd() const { return listener_.get(); }
  void on_events(uint32_t) override { worker_.accept_some(*this); }

  const bool redirect_only;
  net::Deadline pause;

 private:
  Worker& worker_;
  const UniqueFd listener_;
};

Expected<std::unique_ptr<Worker>> Worker::create(size_t index, WorkerSockets sockets, const WorkerOptions& options,
                                                 runtime::Runtime& runtime, ManagementThreads& management,
                                                 ConnectionLimit& limit) {
  auto loop = net::Loop::create();
  if (!loop) return std::unexpected(loop.error());
  std::unique_ptr<Worker> worker(new Worker(index, std::move(*loop), options, runtime, management, limit));
  auto listening = worker->listen(std::move(sockets.main), /*redirect_only=*/false);
  if (listening && sockets.redirect) listening = worker->listen(std::move(sockets.redirect), /*redirect_only=*/true);
  if (!listening) return std::unexpected(listening.error());
  return worker;
}

Expected<void> Worker::listen(UniqueFd listener, bool redirect_only) {
  acceptors_.push_back(std::make_unique<Acceptor>(*this, std::move(listener), redirect_only));
  return loop_->watch(acceptors_.back()->fd(), EPOLLIN, *acceptors_.back());
}

Worker::Worker(size_t index, std::unique_ptr<net::Loop> loop, const WorkerOptions& options, runtime::Runtime& runtime,
               ManagementThreads& management, ConnectionLimit& limit)
    : options_(options),
      runtime_(runtime),
      management_(management),
      limit_(limit),
      loop_(std::move(loop)),
      gate_(
          index, [this] { drive(); }, [this] { loop_->wake(); },
          [this](const auto& thread, uint64_t call, const auto& version) { give_up(thread, call, version); }),
      metrics_(options.metrics->add_loop()),
      access_stream_(options.access_log ? &options.access_log->add_loop(metrics_) : nullptr),
      dispatcher_(runtime, gate_, *options.metrics, metrics_, options_.every_answers_headers),
      idle_deadlines_(idle_ms),
      request_deadlines_(request_ms),
      handshake_deadlines_(handshake_ms),
      write_deadlines_(write_ms),
      end_deadlines_(end_ms),
      accept_pauses_(accept_pause_ms),
      ping_deadlines_(options.websockets.ping_ms),
      close_deadlines_(close_ms),
      thread_deadlines_(thread_ms),
      stream_deadlines_(std::min(longest_stream_silence_ms, options.websockets.ping_ms)),
      socket_mail_([this] { loop_->wake(); }),
      turned_away_log_(log_interval_ms),
      pause_log_(log_interval_ms),
      watch_log_(log_interval_ms) {}

Worker::~Worker() = default;

void Worker::drive() {
  socket_mail_.driven_by_this_thread();
  if (Connection* const left = std::exchange(in_handler_, nullptr)) {
    if (left->socket) {
      flush_socket(*left);
    } else {
      flush(*left);
    }
    watch(*left);
  }
  for (;;) {
    if (gate_.pass(runtime_.registry().generation())) {
      runtime_.retirer().poke();
      close_orphaned_sockets();
    }
    loop_->run_tasks();
    read_socket_mail();
    // Whoever has used up its turn has to let the others have theirs, events and deadlines included.
    if (!to_serve_.empty() && !poll_is_due_) {
      Connection& connection = *to_serve_.front();
      to_serve_.pop_front();
      connection.queued = false;
      if (++served_ >= served_at_once) poll_is_due_ = true;
      // Once the loop is lost nothing of it may be touched: another thread is in this very function.
      if (serve(connection) == Turn::lost_loop) return;
    } else if (loop_->has_event()) {
      loop_->handle_event();
    } else if (handshake_is_due_ && !to_shake_hands_.empty()) {
      handshake_is_due_ = false;
      if (serve_next_handshake() == Turn::lost_loop) return;
    } else if (ended_ && connections_.empty()) {
      const auto ended = std::move(ended_);
      ended();
      return;
    } else {
      loop_->poll(time_to_sleep_ms());
      poll_is_due_ = false;
      handshake_is_due_ = true;
      served_ = 0;
      gate_.polled();
      handle_deadlines();
    }
  }
}

void Worker::start_draining() {
  loop_->post([this] {
    draining_ = true;
    for (const auto& acceptor : acceptors_) loop_->unwatch(acceptor->fd(), *acceptor);
    acceptors_.clear();
    for (auto next = connections_.begin(); next != connections_.end();) {
      Connection& connection = **next++;
      if (connection.socket) {
        connection.socket->close(http::close_code::going_away, "the server is shutting down");
        continue;
      }
      if (connection.streaming) {
        end_stream(connection);
        continue;
      }
      // Who has just come is asked once for what came with it.
      if (!connection.busy && !connection.exchange && !connection.queued) close(connection);
    }
  });
}

void Worker::finish(std::function<void()> ended) {
  loop_->post([this, ended = std::move(ended)]() mutable {
    for (auto next = connections_.begin(); next != connections_.end();) {
      Connection& connection = **next++;
      connection.close_when_sent = true;
      if (connection.socket) {
        connection.broken = true;  // its module is told, and nobody waits for the peer
        enqueue(connection);
      } else if (!connection.busy) {
        close(connection);
      }
    }
    ended_ = std::move(ended);
  });
}

void Worker::enqueue(Connection& connection) {
  if (connection.queued || connection.busy) return;
  connection.queued = true;
  (connection.handshaking ? to_shake_hands_ : to_serve_).push_back(&connection);
}

void Worker::handle_deadlines() {
  const int64_t now = loop_->now_ms();
  for (net::DeadlineList* list :
       {&idle_deadlines_, &request_deadlines_, &handshake_deadlines_, &write_deadlines_, &end_deadlines_,
        &ping_deadlines_, &close_deadlines_, &thread_deadlines_, &stream_deadlines_}) {
    while (net::Deadline* due = list->take_due(now)) deadline_passed(*static_cast<Connection*>(due->owner));
  }
  while (net::Deadline* due = accept_pauses_.take_due(now)) {
    Acceptor& acceptor = *static_cast<Acceptor*>(due->owner);
    loop_->rewatch(acceptor.fd(), EPOLLIN, acceptor);
  }
}

int Worker::time_to_sleep_ms() const {
  if (!to_serve_.empty() || !to_shake_hands_.empty()) return 0;
  int64_t sleep_ms = -1;
  for (const net::DeadlineList* list :
       {&idle_deadlines_, &request_deadlines_, &handshake_deadlines_, &write_deadlines_, &end_deadlines_,
        &accept_pauses_, &ping_deadlines_, &close_deadlines_, &thread_deadlines_, &stream_deadlines_}) {
    const int64_t next_ms = list->next_in_ms(loop_->now_ms());
    if (next_ms >= 0 && (sleep_ms < 0 || next_ms < sleep_ms)) sleep_ms = next_ms;
  }
  return static_cast<int>(sleep_ms);
}

void Worker::accept_some(Acceptor& acceptor) {
  for (int i = 0; i < accepted_at_once; ++i) {
    net::Accepted accepted = net::accept_from(acceptor.fd());
    if (accepted.status == net::Accepted::Status::none_waiting) return;
    if (accepted.status == net::Accepted::Status::out_of_descriptors) return pause_accepting(acceptor);
    add_connection(std::move(accepted.socket), accepted.peer, acceptor.redirect_only);
  }
}

void Worker::pause_accepting(Acceptor& acceptor) {
  // The waiting connection would wake the loop for ever: look again when some may have been closed.
  metrics_.accept_pauses.add();
  if (const auto times = pause_log_.event(loop_->now_ms())) {
    log::warn("no descriptors left: {} connections are open on this loop, new ones wait (seen {} times)",
              connections_.size(), *times);
  }
  loop_->rewatch(acceptor.fd(), 0, acceptor);
  accept_pauses_.arm(acceptor.pause, loop_->now_ms());
}

void Worker::add_connection(UniqueFd socket, const net::PeerAddress& peer, bool redirect_only) {
  auto connection =
      std::make_unique<Connection>(*this, make_transport(std::move(socket), redirect_only), peer,
                                   metrics_.accepted.read() * runtime::max_loops + gate_.index(), find_place());
  connection->redirect_only = redirect_only;
  connection->handshaking = options_.tls != nullptr && !redirect_only;
  connections_.push_front(std::move(connection));
  connections_.front()->place = connections_.begin();
  metrics_.accepted.add();
  open_connections_.fetch_add(1, std::memory_order_relaxed);
  if (!connections_.front()->admission) return turn_away(*connections_.front());
  // Its request usually came with it. One that is answered and closed is never watched: two system calls less.
  connections_.front()->readable = true;
  enqueue(*connections_.front());
}

/// From here on events tell what the connection can do. False when the kernel has no memory for it.
bool Worker::watch(Connection& connection) {
  if (connection.watched) return true;
  // Edge-triggered in both directions: no system call to change interest, and no event while nobody can act on it.
  constexpr uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  const auto watched = loop_->watch(connection.transport->fd(), events, connection);
  connection.watched = watched.has_value();
  if (!watched) {
    if (const auto times = watch_log_.event(loop_->now_ms())) {
      log::warn("a connection is closed: {} (seen {} times)", watched.error().message, *times);
    }
  }
  return connection.watched;
}

ConnectionLimit::Place Worker::find_place() {
  ConnectionLimit::Place place = limit_.take();
  if (!place && close_longest_idle()) place = limit_.take();
  return place;
}

/// False when this loop has none that has been silent for long enough.
bool Worker::close_longest_idle() {
  const int64_t silent_since_ms = loop_->now_ms() - idle_before_eviction_ms;
  while (net::Deadline* const deadline = handshake_deadlines_.take_due(silent_since_ms + handshake_ms)) {
    Connection& connection = *static_cast<Connection*>(deadline->owner);
    if (connection.queued || connection.busy || !connection.handshaking) continue;
    metrics_.evicted.add();
    metrics_.failed_handshakes.add();
    close(connection);
    return true;
  }
  while (net::Deadline* const deadline = idle_deadlines_.take_due(silent_since_ms + idle_ms)) {
    Connection& connection = *static_cast<Connection*>(deadline->owner);
    // A deadline stays armed while a request is served; whoever serves it arms the next.
    if (connection.busy || connection.queued || connection.exchange) continue;
    metrics_.evicted.add();
    close(connection);
    return true;
  }
  return false;
}

/// Answers before anything was read, and waits a moment for the peer to have the answer.
void Worker::turn_away(Connection& connection) {
  if (const auto times = turned_away_log_.event(loop_->now_ms())) {
    log::warn("all {} connections are taken: {} were turned away with a 503", limit_.most(), *times);
  }
  ++turned_away_;
  metrics_.turned_away.add();
  // Before the handshake there is nothing that the peer would understand, and a handshake is dear.
  if (connection.handshaking) return close(connection);
  std::string answer;
  http::append_plain_answer(answer, {.status = 503, .keep_alive = false}, "all connections are taken: try again",
                            /*head_only=*/false, "Retry-After: 1\r\n");
  // The socket is new: it has room for this.
  connection.transport->write(answer);
  connection.close_when_sent = true;
  connection.unread_rest = turned_away_ <= max_turned_away;
  settle(connection);
}

void Worker::close(Connection& connection) {
  CWEB_ASSERT(!connection.busy);
  if (connection.watched) loop_->unwatch(connection.transport->fd(), connection);
  if (connection.queued) {
    std::erase(to_serve_, &connection);
    std::erase(to_shake_hands_, &connection);
  }
  if (connection.exchange) give_back(std::move(connection.exchange));
  if (connection.socket) forget_socket(connection);
  if (connection.streaming) streams_.erase(connection.id);
  metrics_.closed.add();
  if (!connection.admission) --turned_away_;
  open_connections_.fetch_sub(1, std::memory_order_relaxed);
  connections_.erase(connection.place);
}

std::unique_ptr<Exchange> Worker::take_exchange() {
  if (spare_exchanges_.empty()) {
    auto exchange = std::make_unique<Exchange>(options_.limits);
    if (access_stream_) exchange->logged = std::make_unique<LoggedRequest>();
    return exchange;
  }
  auto exchange = std::move(spare_exchanges_.back());
  spare_exchanges_.pop_back();
  return exchange;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
  if (spare_exchanges_.size() >= kept_exchanges) return;
  exchange->reader.reset();
  exchange->out.reset();
  spare_exchanges_.push_back(std::move(exchange));
}

}  // namespace cweb::server
