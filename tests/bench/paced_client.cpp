// An open-loop client: requests leave when it is their time, whatever became of those before, as the requests of many
// people do. A latency counts from the time at which the request was due, so that a server that stands still for a
// while is seen by all that were due meanwhile. Prints one line of JSON; the first half second is not counted.
//
// paced_client PORT PATH REQUESTS_PER_S SECONDS [CONNECTIONS [https]]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace {

constexpr int default_connections = 64;
constexpr int64_t second_ns = 1'000'000'000;
/// Not counted: connections warm up, and the server's loops find their pace.
constexpr int64_t warm_up_ns = second_ns / 2;
/// A request that has no answer after so long has none.
constexpr int64_t patience_ns = 10 * second_ns;

struct Load {
  uint16_t port;
  std::string path;
  double requests_per_s;
  int seconds;
  int connections;
  bool https;
};

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

struct Connection {
  cweb::UniqueFd fd;
  std::unique_ptr<SSL, FreeTls> ssl;  ///< null for plain HTTP
  std::string received;
  int64_t due_ns = 0;
};

/// Length of the whole answer at the front of `text`, or 0 while it is not whole.
size_t whole_answer(std::string_view text) {
  const size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return 0;
  constexpr std::string_view name = "\r\nContent-Length: ";
  size_t length = 0;
  if (const size_t at = text.substr(0, head_end).find(name); at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + name.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
  }
  const size_t whole = head_end + 4 + length;
  return text.size() >= whole ? whole : 0;
}

class PacedClient {
 public:
  explicit PacedClient(Load load) : load_(std::move(load)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    request_ = "GET " + load_.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(load_.port) + "\r\n\r\n";
  }

  bool connect_all() {
    connections_.resize(static_cast<size_t>(load_.connections));
    for (Connection& connection : connections_) {
      if (!connect_one(connection)) return false;
      idle_.push_back(&connection);
    }
    return true;
  }

  void run() {
    start_ns_ = cweb::monotonic_ns();
    next_due_ns_ = start_ns_;
    const int64_t end_ns = start_ns_ + warm_up_ns + load_.seconds * second_ns;
    while (now_ns_ < end_ns + patience_ns) {
      now_ns_ = cweb::monotonic_ns();
      for (; next_due_ns_ <= now_ns_ && next_due_ns_ < end_ns; next_due_ns_ += gap_ns()) due_.push_back(next_due_ns_);
      send_due();
      const bool all_sent = next_due_ns_ >= end_ns && due_.empty();
      if (all_sent && idle_.size() + lost_ == connections_.size()) break;
      if (lost_ == connections_.size()) break;
      wait(next_due_ns_ < end_ns ? next_due_ns_ : end_ns + patience_ns);
    }
    failed_ += static_cast<long>(due_.size() + connections_.size() - idle_.size() - lost_);
  }

  void print() {
    std::sort(latencies_ns_.begin(), latencies_ns_.end());
    const auto at_us = [this](double share) {
      if (latencies_ns_.empty()) return 0.0;
      const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(latencies_ns_.size())));
      return static_cast<double>(latencies_ns_[std::max<size_t>(rank, 1) - 1]) / 1e3;
    };
    std::printf(
        "{\"requests\": %ld, \"counted\": %zu, \"failed\": %ld, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, "
        "\"p999_us\": %.1f, \"max_us\": %.1f}\n",
        sent_, latencies_ns_.size(), failed_, at_us(0.5), at_us(0.9), at_us(0.99), at_us(0.999), at_us(1));
  }

 private:
  bool connect_one(Connection& connection) {
    connection.fd = cweb::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    setsockopt(connection.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(load_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    return connect(connection.fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
           (!load_.https || shake_hands(connection)) &&
           epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event) == 0;
  }

  /// A certificate is taken for good whoever signed it.
  bool shake_hands(Connection& connection) {
    if (!tls_) tls_.reset(SSL_CTX_new(TLS_client_method()));
    connection.ssl.reset(SSL_new(tls_.get()));
    SSL_set_fd(connection.ssl.get(), connection.fd.get());
    if (SSL_connect(connection.ssl.get()) != 1) return false;
    return fcntl(connection.fd.get(), F_SETFL, O_NONBLOCK) == 0;
  }

  bool send_request(Connection& connection) const {
    const auto length = static_cast<int>(request_.size());
    if (connection.ssl) return SSL_write(connection.ssl.get(), request_.data(), length) == length;
    return send(connection.fd.get(), request_.data(), request_.size(), MSG_NOSIGNAL) == length;
  }

  /// Everything that has come. False when the connection has ended.
  static bool take(Connection& connection) {
    std::array<char, 16384> bytes;
    if (!connection.ssl) {
      const ssize_t count = recv(connection.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (count > 0) connection.received.append(bytes.data(), static_cast<size_t>(count));
      return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
    }
    for (;;) {
      const int count = SSL_read(connection.ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (count <= 0) return SSL_get_error(connection.ssl.get(), count) == SSL_ERROR_WANT_READ;
      connection.received.append(bytes.data(), static_cast<size_t>(count));
    }
  }

  /// As independent people come: mostly close together, sometimes far apart.
  int64_t gap_ns() { return 1 + static_cast<int64_t>(gaps_(random_) * static_cast<double>(second_ns)); }

  void send_due() {
    while (!due_.empty() && !idle_.empty()) {
      // In turn, so that all connections and all of the server's loops have their share.
      Connection& connection = *idle_.front();
      idle_.pop_front();
      connection.due_ns = due_.front();
      due_.pop_front();
      if (!send_request(connection)) lose(connection);
      ++sent_;
    }
  }

  void wait(int64_t until_ns) {
    const int64_t time_ns = std::max<int64_t>(until_ns - cweb::monotonic_ns(), 0);
    const timespec time{.tv_sec = time_ns / second_ns, .tv_nsec = time_ns % second_ns};
    std::array<epoll_event, 256> events;
    const int count = epoll_pwait2(epoll_.get(), events.data(), events.size(), &time, nullptr);
    for (int i = 0; i < count; ++i) receive(*static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr));
  }

  void receive(Connection& connection) {
    if (!take(connection)) return lose(connection);
    const size_t length = whole_answer(connection.received);
    if (length == 0) return;
    const bool good = connection.received.compare(0, 12, "HTTP/1.1 200") == 0;
    connection.received.erase(0, length);
    if (!good) ++failed_;
    if (connection.due_ns >= start_ns_ + warm_up_ns) latencies_ns_.push_back(cweb::monotonic_ns() - connection.due_ns);
    idle_.push_back(&connection);
  }

  /// A connection that the server ended: its request has failed, and one less is left for the others.
  void lose(Connection& connection) {
    const auto at = std::find(idle_.begin(), idle_.end(), &connection);
    if (at != idle_.end()) idle_.erase(at);
    connection.ssl.reset();
    connection.fd.reset();
    ++failed_;
    ++lost_;
  }

  const Load load_;
  const cweb::UniqueFd epoll_;
  std::unique_ptr<SSL_CTX, FreeTls> tls_;
  std::string request_;
  std::vector<Connection> connections_;
  std::deque<Connection*> idle_;
  std::deque<int64_t> due_;  ///< of requests that wait for a connection, oldest first
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gaps_{load_.requests_per_s};
  int64_t start_ns_ = 0, next_due_ns_ = 0, now_ns_ = 0;
  size_t lost_ = 0;
  long sent_ = 0, failed_ = 0;
  std::vector<int64_t> latencies_ns_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || std::atof(argv[3]) <= 0) {
    std::fputs("usage: paced_client PORT PATH REQUESTS_PER_S SECONDS [CONNECTIONS [https]]\n", stderr);
    return 2;
  }
  // Sleeps end when they should and not within the usual 50 microseconds after it.
  prctl(PR_SET_TIMERSLACK, 1);
  PacedClient client({static_cast<uint16_t>(std::atoi(argv[1])), argv[2], std::atof(argv[3]), std::atoi(argv[4]),
                      argc > 5 ? std::atoi(argv[5]) : default_connections,
                      argc > 6 && argv[6] == std::string_view("https")});
  if (!client.connect_all()) {
    std::fprintf(stderr, "paced_client: no connection to port %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  client.run();
  client.print();
  return 0;
}
