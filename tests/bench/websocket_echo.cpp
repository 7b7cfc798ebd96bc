// Sends numbered messages on many sockets, checks that each comes back once and in its order, and prints one line of
// JSON. Closed loop: each socket has so many messages on their way, and the next leaves when one is back. Open loop
// (MESSAGES_PER_S): messages leave when it is their time, on one socket after the other, and a latency counts from
// then, so that a server that stands still is seen by all that were due meanwhile; the first half second is not
// counted.
//
// websocket_echo PORT PATH SOCKETS BYTES SECONDS [IN_FLIGHT [MESSAGES_PER_S]]
#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "websocket_peer.h"

namespace {

using cweb::bench::WebSocketPeer;

constexpr int64_t second_ns = 1'000'000'000;
constexpr int64_t warm_up_ns = second_ns / 2;
/// A message that is not back after so long is lost.
constexpr int64_t patience_ns = 10 * second_ns;

struct Load {
  uint16_t port;
  std::string path;
  int sockets;
  size_t bytes;
  int seconds;
  int in_flight;
  double messages_per_s;  ///< 0: closed loop
};

/// Latencies to the microsecond; those beyond two seconds count as two.
class Latencies {
 public:
  void add(int64_t ns) {
    ++buckets_[std::min(static_cast<size_t>(std::max<int64_t>(ns, 0)) / 1000, buckets_.size() - 1)];
    ++count_;
    longest_ns_ = std::max(longest_ns_, ns);
  }
  /// Microseconds that `share` (0 to 1) of all do not exceed.
  double at(double share) const {
    double missing = share * static_cast<double>(count_);
    for (size_t us = 0; us < buckets_.size(); ++us)
      if ((missing -= buckets_[us]) <= 0) return static_cast<double>(us);
    return static_cast<double>(longest_ns_) / 1e3;
  }
  double longest() const { return static_cast<double>(longest_ns_) / 1e3; }

 private:
  std::vector<uint32_t> buckets_ = std::vector<uint32_t>(2'000'000);
  uint64_t count_ = 0;
  int64_t longest_ns_ = 0;
};

/// What must not be.
struct Faults {
  long closed = 0, doubled = 0, out_of_order = 0, wrong = 0;
};

/// A socket, the numbers that are on their way on it, and when they left or should have.
struct Socket {
  std::unique_ptr<WebSocketPeer> peer;  ///< none when it was closed
  bool broken = false;
  uint64_t sent = 0, expected = 0;
  std::deque<int64_t> since_ns;  ///< of `expected` and those behind it
  std::set<uint64_t> missing;    ///< below `expected`, and not back

  uint64_t unanswered() const { return sent - expected + missing.size(); }

  /// Since when this number was on its way; -1 for one that is not the next, which is counted.
  int64_t take(uint64_t number, Faults& faults) {
    if (number >= sent) return ++faults.wrong, -1;
    if (number < expected) return ++(missing.erase(number) > 0 ? faults.out_of_order : faults.doubled), -1;
    for (; expected < number; ++expected, since_ns.pop_front()) missing.insert(expected);
    const int64_t since = since_ns.front();
    since_ns.pop_front();
    ++expected;
    return since;
  }
};

class EchoLoad {
 public:
  explicit EchoLoad(Load load)
      : load_(std::move(load)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        frame_(cweb::bench::client_frame(std::string(load_.bytes, 'x'))) {}

  /// False, and a line on stderr, when a socket cannot be opened.
  bool open_all() {
    for (int i = 0; i < load_.sockets; ++i) {
      auto peer = WebSocketPeer::open(load_.port, load_.path, {});
      Socket& socket = sockets_.emplace_back();
      if (!peer || !(*peer)->watch(epoll_.get(), &socket)) {
        std::fprintf(stderr, "websocket_echo: socket %d: %s\n", i, peer ? "epoll" : peer.error().c_str());
        return false;
      }
      socket.peer = std::move(*peer);
    }
    return true;
  }

  void run() {
    const int64_t start_ns = now_ns_ = cweb::monotonic_ns();
    count_from_ns_ = start_ns + (paced() ? warm_up_ns : 0);
    end_ns_ = count_from_ns_ + load_.seconds * second_ns;
    next_due_ns_ = start_ns;
    if (!paced())
      for (Socket& socket : sockets_)
        for (int i = 0; i < load_.in_flight; ++i) send_next(socket, start_ns);
    for (; now_ns_ < end_ns_; now_ns_ = cweb::monotonic_ns()) {
      if (paced()) send_due();
      wait(paced() ? std::min(next_due_ns_, end_ns_) : end_ns_);
    }
    counted_ns_ = now_ns_ - count_from_ns_;
    for (ended_ = true; now_ns_ < end_ns_ + patience_ns && unanswered() > 0; now_ns_ = cweb::monotonic_ns())
      wait(end_ns_ + patience_ns);
  }

  void print() const {
    std::printf(
        "{\"messages\": %ld, \"messages_per_s\": %.1f, \"p50_us\": %.0f, \"p90_us\": %.0f, \"p99_us\": %.0f, "
        "\"p999_us\": %.0f, "
        "\"max_us\": %.0f, \"closed\": %ld, \"lost\": %ld, \"doubled\": %ld, \"out_of_order\": %ld, \"wrong\": %ld}\n",
        counted_, static_cast<double>(counted_) * 1e9 / static_cast<double>(counted_ns_), latencies_.at(0.5),
        latencies_.at(0.9), latencies_.at(0.99), latencies_.at(0.999), latencies_.longest(), faults_.closed,
        lost_ + unanswered(), faults_.doubled, faults_.out_of_order, faults_.wrong);
  }

 private:
  bool paced() const { return load_.messages_per_s > 0; }

  long unanswered() const {
    uint64_t count = 0;
    for (const Socket& socket : sockets_)
      if (socket.peer) count += socket.unanswered();
    return static_cast<long>(count);
  }

  void send_next(Socket& socket, int64_t since_ns) {
    cweb::bench::number_frame(frame_, socket.sent++);
    socket.since_ns.push_back(since_ns);
    if (!socket.peer->send(frame_)) socket.broken = true;
  }

  void send_due() {
    const auto gap_ns = static_cast<int64_t>(1e9 / load_.messages_per_s);
    for (; next_due_ns_ <= now_ns_ && next_due_ns_ < end_ns_; next_due_ns_ += gap_ns) {
      Socket& socket = sockets_[next_socket_++ % sockets_.size()];
      if (!socket.broken) send_next(socket, next_due_ns_);
    }
  }

  void wait(int64_t until_ns) {
    const int64_t time_ns = std::max<int64_t>(until_ns - cweb::monotonic_ns(), 0);
    const timespec time{.tv_sec = time_ns / second_ns, .tv_nsec = time_ns % second_ns};
    std::array<epoll_event, 256> events;
    const int count = epoll_pwait2(epoll_.get(), events.data(), events.size(), &time, nullptr);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      Socket& socket = *static_cast<Socket*>(event.data.ptr);
      const auto take = [this, &socket](std::string_view message) { answered(socket, message); };
      if (!socket.peer->ready(event.events, buffer_, take)) socket.broken = true;
      if (socket.broken) lose(socket);
    }
  }

  void answered(Socket& socket, std::string_view message) {
    if (message.size() != load_.bytes || message.back() != 'x') {
      ++faults_.wrong;
      return;
    }
    const int64_t since_ns = socket.take(cweb::bench::number_of(message), faults_);
    if (since_ns < 0 || ended_) return;
    const int64_t now_ns = cweb::monotonic_ns();
    if (since_ns >= count_from_ns_) {
      latencies_.add(now_ns - since_ns);
      ++counted_;
    }
    if (!paced()) send_next(socket, now_ns);
  }

  /// Its events end with its descriptor.
  void lose(Socket& socket) {
    ++faults_.closed;
    lost_ += static_cast<long>(socket.unanswered());
    socket.peer.reset();
  }

  const Load load_;
  const cweb::UniqueFd epoll_;
  std::string frame_;           ///< of the message that is sent next, by whichever socket
  std::deque<Socket> sockets_;  ///< which stay where they are
  cweb::bench::ReadBuffer buffer_;
  size_t next_socket_ = 0;
  int64_t now_ns_ = 0, count_from_ns_ = 0, end_ns_ = 0, counted_ns_ = 1, next_due_ns_ = 0;
  bool ended_ = false;
  long counted_ = 0, lost_ = 0;
  Faults faults_;
  Latencies latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || std::atol(argv[4]) < 8 || std::atoi(argv[3]) < 1) {
    std::fputs("usage: websocket_echo PORT PATH SOCKETS BYTES SECONDS [IN_FLIGHT [MESSAGES_PER_S]]; at least 8 BYTES\n",
               stderr);
    return 2;
  }
  // Sleeps end when they should and not within the usual 50 microseconds after it.
  prctl(PR_SET_TIMERSLACK, 1);
  EchoLoad load({.port = static_cast<uint16_t>(std::atoi(argv[1])),
                 .path = argv[2],
                 .sockets = std::atoi(argv[3]),
                 .bytes = static_cast<size_t>(std::atol(argv[4])),
                 .seconds = std::atoi(argv[5]),
                 .in_flight = argc > 6 ? std::atoi(argv[6]) : 1,
                 .messages_per_s = argc > 7 ? std::atof(argv[7]) : 0});
  if (!load.open_all()) return 1;
  load.run();
  load.print();
  return 0;
}
