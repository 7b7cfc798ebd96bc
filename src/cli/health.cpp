#include "cli/health.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace cweb::cli {
namespace {

constexpr timeval patience{.tv_sec = 3, .tv_usec = 0};
constexpr std::string_view request = "GET /mgnt/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view serving = "HTTP/1.1 200 ";

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Addresses = std::unique_ptr<addrinfo, Freed<freeaddrinfo>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;

bool is_every_address(const std::string& host) {
  return host.empty() || host == all_addresses || host == "0.0.0.0" || host == "::";
}

/// Not open when nobody listens there.
UniqueFd connect_to(const HealthOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  const std::string host = is_every_address(options.host) ? "127.0.0.1" : options.host;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(options.port).c_str(), &hints, &found) != 0) return UniqueFd();
  const Addresses addresses(found);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    UniqueFd fd(socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) continue;
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd.get(), address->ai_addr, address->ai_addrlen) == 0) return fd;
  }
  return UniqueFd();
}

/// The first line of the answer is all that is asked for; read_some gives what came, or nothing.
template <typename ReadSome>
bool says_serving(ReadSome&& read_some) {
  std::array<char, 64> answer;
  size_t length = 0;
  while (length < serving.size()) {
    const long count = read_some(answer.data() + length, answer.size() - length);
    if (count <= 0) return false;
    length += static_cast<size_t>(count);
  }
  return std::string_view(answer.data(), length).starts_with(serving);
}

bool serves_plainly(const HealthOptions& options) {
  const UniqueFd fd = connect_to(options);
  if (!fd || send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return false;
  return says_serving([&](char* to, size_t size) { return static_cast<long>(recv(fd.get(), to, size, 0)); });
}

bool serves_over_tls(const HealthOptions& options) {
  const UniqueFd fd = connect_to(options);
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (!fd || !context) return false;
  const Session session(SSL_new(context.get()));
  if (!session || SSL_set_fd(session.get(), fd.get()) != 1 || SSL_connect(session.get()) != 1) return false;
  if (SSL_write(session.get(), request.data(), static_cast<int>(request.size())) <= 0) return false;
  return says_serving([&](char* to, size_t size) { return long{SSL_read(session.get(), to, static_cast<int>(size))}; });
}

}  // namespace

int ask_health(const HealthOptions& options) {
  // Started in the server's own environment, keys and all, where modules may run under the same account.
  prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);
  // The likely way first: a server that is asked in the other one may write a line about it.
  const bool serves = options.production ? serves_over_tls(options) || serves_plainly(options)
                                         : serves_plainly(options) || serves_over_tls(options);
  if (serves) return 0;
  std::fprintf(stderr, "cweb: no server says that it serves on port %d of %s\n", int{options.port},
               is_every_address(options.host) ? "this machine" : options.host.c_str());
  return 1;
}

}  // namespace cweb::cli
