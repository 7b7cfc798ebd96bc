#include "canned_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "base/error.h"

namespace cweb::e2e {
namespace {

/// Is this a request with its body, or else nothing that begins like one?
bool is_whole(const std::string& received) {
  if (received.empty()) return false;
  if (received.front() < 'A' || received.front() > 'Z') return true;
  const size_t end = received.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const size_t length = received.find("Content-Length: ");
  if (length == std::string::npos || length > end) return true;
  return received.size() >= end + 4 + std::stoul(received.substr(length + 16));
}

}  // namespace

CannedServer::CannedServer(std::string answer)
    : answer_(std::move(answer)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  CWEB_ASSERT(bind(listener_.get(), any, size) == 0);
  CWEB_ASSERT(listen(listener_.get(), 16) == 0);
  CWEB_ASSERT(getsockname(listener_.get(), any, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

CannedServer::~CannedServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::vector<std::string> CannedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string CannedServer::json(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Canned\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

void CannedServer::serve() {
  while (true) {
    std::array<pollfd, 2> waited{
        {{.fd = listener_.get(), .events = POLLIN, .revents = 0}, {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
    if (poll(waited.data(), waited.size(), -1) < 0) continue;
    if (waited[1].revents != 0) return;
    const UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) answer(connection.get());
  }
}

void CannedServer::answer(int fd) {
  std::string received;
  std::array<char, 4096> bytes;
  while (!is_whole(received)) {
    const ssize_t count = recv(fd, bytes.data(), bytes.size(), 0);
    if (count <= 0) break;
    received.append(bytes.data(), static_cast<size_t>(count));
  }
  send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(received));
}

}  // namespace cweb::e2e
