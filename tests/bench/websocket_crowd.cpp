// Many sockets that are sent what one of them asks for. Reads orders, a line each, and answers each with a line of
// JSON; between orders it answers the server's pings, and ends when there are no more.
//
//   open COUNT                       opens so many more sockets, which are read
//   stall COUNT                      opens so many more sockets, of which nothing is ever read
//   broadcast COUNT BYTES IN_FLIGHT  the first socket sends "BYTES NUMBER" so many times, and each makes the server
//   send
//                                    everybody a message of so many bytes that begins with the number; so many at a
//                                    time are on their way to the sockets that are read
//
// websocket_crowd PORT PATH
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "websocket_peer.h"

namespace {

using cweb::bench::WebSocketPeer;

/// Nothing has come for so long: what is missing does not come any more.
constexpr int patience_ms = 10'000;
/// Loopback addresses other than the clients' own, several of them: each has its ports to itself, and finding a free
/// one among many that are taken is slow.
constexpr uint32_t first_source = 0x7F000002, sources = 16;
/// Of a stalled socket: what is not read soon stays in the server.
constexpr int stalled_buffer_bytes = 16 * 1024;

struct Socket {
  std::unique_ptr<WebSocketPeer> peer;  ///< none when it was closed
  uint64_t expected = 0;                ///< the number of the message that comes next
};

class Crowd {
 public:
  Crowd(uint16_t port, std::string path) : port_(port), path_(std::move(path)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, STDIN_FILENO, &event);
  }

  /// Serves the sockets until there is an order. False: there are no more.
  bool read_order(std::string& line) {
    while (!order_waits_)
      if (!wait(-1)) return false;
    order_waits_ = false;
    return static_cast<bool>(std::getline(std::cin, line));
  }

  bool open(int count) {
    for (int i = 0; i < count; ++i) {
      auto peer = WebSocketPeer::open(port_, path_, {.source_address = next_source()});
      Socket& socket = sockets_.emplace_back();
      if (!peer || !(*peer)->watch(epoll_.get(), &socket)) return complain(peer ? "epoll" : peer.error());
      socket.peer = std::move(*peer);
      socket.expected = next_number_;
    }
    std::printf("{\"open\": %zu}\n", sockets_.size() - closed_);
    return true;
  }

  bool stall(int count) {
    for (int i = 0; i < count; ++i) {
      auto peer = WebSocketPeer::open(port_, path_,
                                      {.source_address = next_source(), .receive_buffer_bytes = stalled_buffer_bytes});
      if (!peer) return complain(peer.error());
      stalled_.push_back(std::move(*peer));
    }
    std::printf("{\"stalled\": %zu}\n", stalled_.size());
    return true;
  }

  bool broadcast(uint64_t count, size_t bytes, uint64_t in_flight) {
    if (sockets_.empty() || !sockets_.front().peer) return complain("there is no socket to ask with");
    bytes_ = bytes;
    first_number_ = next_number_;
    missing_.assign(count, sockets_.size() - closed_);
    asked_ns_.assign(count, 0);
    took_ms_.clear();
    const int64_t start_ns = cweb::monotonic_ns();
    for (uint64_t done = 0; done < count;) {
      while (next_number_ < first_number_ + std::min(count, done + in_flight))
        if (!ask()) return complain("the first socket was closed");
      if (!wait(patience_ms)) break;
      while (done < count && missing_[done] == 0) ++done;
    }
    print_broadcast(static_cast<double>(cweb::monotonic_ns() - start_ns) / 1e9);
    return true;
  }

 private:
  static bool complain(const std::string& sentence) {
    std::fprintf(stderr, "websocket_crowd: %s\n", sentence.c_str());
    return false;
  }

  uint32_t next_source() { return first_source + source_++ % sources; }

  bool ask() {
    const uint64_t number = next_number_++;
    asked_ns_[number - first_number_] = cweb::monotonic_ns();
    const std::string order = std::to_string(bytes_) + " " + std::to_string(number);
    return sockets_.front().peer && sockets_.front().peer->send(cweb::bench::client_frame(order));
  }

  /// False: nothing has come for so long, or, without a limit, there are no more orders.
  bool wait(int time_ms) {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), time_ms);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.ptr == nullptr) {
        order_waits_ = true;
      } else {
        receive(*static_cast<Socket*>(event.data.ptr), event.events);
      }
    }
    return count > 0;
  }

  void receive(Socket& socket, uint32_t events) {
    const auto take = [this, &socket](std::string_view message) { received(socket, message); };
    if (socket.peer->ready(events, buffer_, take)) return;
    socket.peer.reset();
    ++closed_;
    // What it would still have been sent is not waited for.
    for (uint64_t number = std::max(socket.expected, first_number_); number < first_number_ + missing_.size(); ++number)
      one_less(number);
  }

  void received(Socket& socket, std::string_view message) {
    const uint64_t number = message.size() == bytes_ ? cweb::bench::number_of(message) : UINT64_MAX;
    if (number != socket.expected || number >= next_number_) {
      ++wrong_;
      return;
    }
    ++socket.expected;
    one_less(number);
  }

  void one_less(uint64_t number) {
    const uint64_t index = number - first_number_;
    if (--missing_[index] > 0) return;
    took_ms_.push_back(static_cast<double>(cweb::monotonic_ns() - asked_ns_[index]) / 1e6);
  }

  void print_broadcast(double seconds) const {
    size_t missing = 0;
    for (const size_t count : missing_) missing += count;
    std::printf("{\"seconds\": %.6f, \"missing\": %zu, \"wrong\": %ld, \"closed\": %zu, \"took_ms\": [", seconds,
                missing, wrong_, closed_);
    for (size_t i = 0; i < took_ms_.size(); ++i) std::printf("%s%.3f", i == 0 ? "" : ", ", took_ms_[i]);
    std::puts("]}");
  }

  const uint16_t port_;
  const std::string path_;
  const cweb::UniqueFd epoll_;
  std::deque<Socket> sockets_;  ///< which stay where they are
  std::vector<std::unique_ptr<WebSocketPeer>> stalled_;
  cweb::bench::ReadBuffer buffer_;
  uint32_t source_ = 0;
  bool order_waits_ = false;
  size_t closed_ = 0;
  long wrong_ = 0;

  // Of the broadcasts that run or ran last.
  size_t bytes_ = 0;
  uint64_t first_number_ = 0, next_number_ = 0;
  std::vector<size_t> missing_;  ///< for each, the sockets that it has not come to
  std::vector<int64_t> asked_ns_;
  std::vector<double> took_ms_;
};

bool carry_out(Crowd& crowd, const std::string& order) {
  std::istringstream words(order);
  std::string what;
  long count = 0, bytes = 0, in_flight = 1;
  words >> what >> count >> bytes >> in_flight;
  if (what == "open") return crowd.open(static_cast<int>(count));
  if (what == "stall") return crowd.stall(static_cast<int>(count));
  if (what == "broadcast" && count > 0 && bytes >= 8 && in_flight > 0)
    return crowd.broadcast(static_cast<uint64_t>(count), static_cast<size_t>(bytes), static_cast<uint64_t>(in_flight));
  std::fprintf(stderr, "websocket_crowd: what is \"%s\"?\n", order.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: websocket_crowd PORT PATH\n", stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Crowd crowd(static_cast<uint16_t>(std::atoi(argv[1])), argv[2]);
  for (std::string order; crowd.read_order(order);)
    if (!carry_out(crowd, order)) return 1;
  return 0;
}
