#include "raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "pace.h"

namespace cweb::e2e {
namespace {

bool same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool parse_number(std::string_view text, size_t& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool ready_for(int fd, short events) {
  pollfd waiting{.fd = fd, .events = events, .revents = 0};
  int result = 0;
  while ((result = poll(&waiting, 1, static_cast<int>(patience.count()))) < 0 && errno == EINTR) {
  }
  return result > 0;
}

bool parse_head(std::string_view head, RawResponse& response) {
  const size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  size_t status = 0;
  if (line.size() < 12 || line[8] != ' ' || !parse_number(line.substr(9, 3), status)) return false;
  response.version = line.substr(0, 8);
  response.status = static_cast<int>(status);
  if (line.size() > 13) response.reason = line.substr(13);
  head.remove_prefix(line_end == std::string_view::npos ? head.size() : line_end + 2);
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view header = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    const size_t colon = header.find(':');
    if (colon == std::string_view::npos) return header.empty();
    response.headers.emplace_back(header.substr(0, colon), trimmed(header.substr(colon + 1)));
  }
  return true;
}

}  // namespace

std::string RawResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

bool RawResponse::has_header(std::string_view name) const {
  for (const auto& entry : headers) {
    if (same_name(entry.first, name)) return true;
  }
  return false;
}

RawClient::RawClient(uint16_t port, int receive_buffer_bytes) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Has to stand before connect: the window is agreed on there.
  if (receive_buffer_bytes > 0) {
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0)
      << "no connection to port " << port << ": " << std::strerror(errno);
}

RawClient::RawClient(uint16_t port, const TlsWish& wish, int receive_buffer_bytes, bool may_fail)
    : RawClient(port, receive_buffer_bytes) {
  tls_ = std::make_unique<TlsSession>(wish);
  secure_ = tls_->shake_hands(fd_.get());
  if (!secure_ && !may_fail) ADD_FAILURE() << "no handshake: " << tls_->failure();
}

bool RawClient::send(std::string_view bytes) {
  if (tls_) return tls_->send(bytes);
  while (!bytes.empty()) {
    if (!ready_for(fd_.get(), POLLOUT)) return false;
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool RawClient::all_arrived() const {
  const auto is_empty = [&] {
    int unsent = 0;
    return ioctl(fd_.get(), SIOCOUTQ, &unsent) != 0 || unsent == 0;
  };
  // Mostly it is a matter of microseconds, and there are many segments.
  for (int i = 0; i < 100; ++i) {
    if (is_empty()) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(10));
  }
  return eventually(is_empty);
}

bool RawClient::send_in_segments(std::string_view bytes, size_t size) {
  while (!bytes.empty()) {
    if (!send(bytes.substr(0, size))) return false;
    bytes.remove_prefix(std::min(size, bytes.size()));
    if (!all_arrived()) return false;
  }
  return true;
}

void RawClient::end_sending() {
  shutdown(fd_.get(), SHUT_WR);
}

bool RawClient::fill() {
  if (ended_) return false;
  if (tls_) {
    char plain[16 * 1024];
    const ssize_t length = tls_->read(plain, sizeof plain);
    if (length > 0) buffer_.append(plain, static_cast<size_t>(length));
    ended_ = length <= 0;
    was_reset_ = length < 0;
    return !ended_;
  }
  if (!ready_for(fd_.get(), POLLIN)) {
    ADD_FAILURE() << "nothing came from the server in time; before that: \"" << buffer_.substr(0, 200) << '"';
    ended_ = true;
    return false;
  }
  char bytes[64 * 1024];
  const ssize_t count = recv(fd_.get(), bytes, sizeof bytes, 0);
  if (count <= 0) {
    ended_ = true;
    was_reset_ = count < 0;
    return false;
  }
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

bool RawClient::read_until(std::string_view mark, std::string& taken) {
  size_t end = 0;
  while ((end = buffer_.find(mark)) == std::string::npos) {
    if (!fill()) return false;
  }
  taken = buffer_.substr(0, end);
  buffer_.erase(0, end + mark.size());
  return true;
}

bool RawClient::read_exactly(size_t length, std::string& taken) {
  while (buffer_.size() < length) {
    if (fill()) continue;
    taken = std::exchange(buffer_, {});
    return false;
  }
  taken = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return true;
}

bool RawClient::read_chunked(std::string& body) {
  for (;;) {
    std::string line;
    size_t length = 0;
    if (!read_until("\r\n", line) || !parse_number(std::string_view(line).substr(0, line.find(';')), length, 16)) {
      return false;
    }
    std::string chunk;
    if (!read_exactly(length, chunk) || !read_until("\r\n", line)) return false;
    if (length == 0) return true;
    body += chunk;
  }
}

RawResponse RawClient::read_response(bool no_body) {
  RawResponse response;
  std::string head;
  if (!read_until("\r\n\r\n", head) || !parse_head(head, response)) {
    ADD_FAILURE() << "no response; instead: \"" << head.substr(0, 200) << buffer_.substr(0, 200) << '"';
    return {};
  }
  if (no_body || response.status < 200 || response.status == 204 || response.status == 304) return response;
  bool whole = true;
  if (same_name(response.header("transfer-encoding"), "chunked")) {
    whole = read_chunked(response.body);
  } else if (response.has_header("content-length")) {
    size_t length = 0;
    whole = parse_number(response.header("content-length"), length) && read_exactly(length, response.body);
  } else {
    response.body = read_to_end();
  }
  if (whole) return response;
  ADD_FAILURE() << "the body of the " << response.status << " is not whole";
  return {};
}

RawResponse RawClient::exchange(std::string_view request) {
  send(request);
  return read_response();
}

size_t RawClient::read_some() {
  if (buffer_.empty()) fill();
  return std::exchange(buffer_, {}).size();
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool RawClient::ends() {
  return read_to_end().empty();
}

bool RawClient::is_quiet() const {
  pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return buffer_.empty() && poll(&waiting, 1, 0) == 0;
}

uint16_t RawClient::local_port() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  EXPECT_EQ(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return ntohs(address.sin_port);
}

void RawClient::reset_connection() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  tls_.reset();
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
}

std::string get_request(std::string_view path, std::string_view header_lines) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n").append(header_lines).append("\r\n");
  return request;
}

std::string request_with_body(std::string_view method, std::string_view path, std::string_view body,
                              std::string_view header_lines) {
  std::string request(method);
  request.append(" ").append(path).append(" HTTP/1.1\r\nHost: localhost\r\nContent-Length: ");
  request.append(std::to_string(body.size())).append("\r\n").append(header_lines).append("\r\n").append(body);
  return request;
}

}  // namespace cweb::e2e
