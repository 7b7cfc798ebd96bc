// tls_handshakes PORT PATH SECONDS THREADS: connections one after the other, each with a full handshake, one request
// and its answer. Prints how many there were as JSON. A certificate is taken for good whoever signed it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace {

struct Counts {
  std::atomic<long> done{0};
  std::atomic<long> failed{0};
};

cweb::UniqueFd connect_to(uint16_t port) {
  cweb::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The end is a reset: a port that waits for its time would soon be missing.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const timeval bound{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

bool ask_once(SSL_CTX* context, uint16_t port, const std::string& request) {
  const cweb::UniqueFd fd = connect_to(port);
  if (!fd) return false;
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, fd.get());
  char answer[4096];
  bool answered = SSL_connect(ssl) == 1 && SSL_session_reused(ssl) == 0 &&
                  SSL_write(ssl, request.data(), static_cast<int>(request.size())) > 0;
  const int length = answered ? SSL_read(ssl, answer, sizeof answer) : 0;
  answered = length > 0 && std::string_view(answer, static_cast<size_t>(length)).starts_with("HTTP/1.1 200");
  SSL_free(ssl);
  return answered;
}

void ask(uint16_t port, const std::string& request, int64_t end_ms, Counts& counts) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  while (cweb::monotonic_ms() < end_ms) (ask_once(context, port, request) ? counts.done : counts.failed).fetch_add(1);
  SSL_CTX_free(context);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: tls_handshakes PORT PATH SECONDS THREADS\n", stderr);
    return 2;
  }
  const auto port = static_cast<uint16_t>(std::atoi(argv[1]));
  const std::string request = std::string("GET ") + argv[2] + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const int64_t began_ms = cweb::monotonic_ms();
  const int64_t end_ms = began_ms + 1000 * std::atoll(argv[3]);
  Counts counts;
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[4]); ++i) {
    threads.emplace_back([&] { ask(port, request, end_ms, counts); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = static_cast<double>(cweb::monotonic_ms() - began_ms) / 1000;
  std::printf("{\"handshakes\": %ld, \"failed\": %ld, \"seconds\": %.3f}\n", counts.done.load(), counts.failed.load(),
              seconds);
  return 0;
}
