#include "websocket_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

namespace cweb::bench {
namespace {

constexpr std::array<char, 4> mask = {'\x5a', '\x17', '\xc3', '\x9d'};
constexpr int handshake_time_s = 20;
/// The example of RFC 6455, 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept_of_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

enum Opcode : uint8_t { binary = 2, close = 8, ping = 9, pong = 10 };

std::string masked_frame(uint8_t opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  const uint64_t length = payload.size();
  const int length_bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  frame.push_back(static_cast<char>(0x80 | (length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127)));
  for (int i = length_bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(length >> (8 * i)));
  frame.append(mask.data(), mask.size());
  for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % mask.size()]));
  return frame;
}

/// Where the payload of a client_frame() begins.
size_t payload_at(std::string_view frame) {
  const int short_length = frame[1] & 127;
  return (short_length < 126 ? 2u : short_length == 126 ? 4u : 10u) + mask.size();
}

std::string last_error(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

sockaddr_in loopback(uint32_t address, uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(address);
  return name;
}

std::expected<UniqueFd, std::string> connect_to(uint16_t port, const WebSocketPeer::Options& options) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  const timeval patience{.tv_sec = handshake_time_s, .tv_usec = 0};
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (options.receive_buffer_bytes > 0)
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes, sizeof options.receive_buffer_bytes);
  if (options.source_address != 0) {
    // The port is chosen when the other end is known, so that ports are scarce for each pair of ends only.
    setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const sockaddr_in source = loopback(options.source_address, 0);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0)
      return std::unexpected(last_error("bind"));
  }
  const sockaddr_in server = loopback(INADDR_LOOPBACK, port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
    return std::unexpected(last_error("connect"));
  return fd;
}

/// Byte by byte: what follows the answer's head stays in the kernel.
std::expected<std::string, std::string> read_head(int fd) {
  std::string head;
  for (char byte = 0; !head.ends_with("\r\n\r\n"); head.push_back(byte))
    if (recv(fd, &byte, 1, 0) != 1) return std::unexpected("the handshake is not answered, after \"" + head + "\"");
  return head;
}

}  // namespace

std::string client_frame(std::string_view message) {
  return masked_frame(binary, message);
}

void number_frame(std::string& frame, uint64_t number) {
  std::array<char, sizeof number> bytes;
  std::memcpy(bytes.data(), &number, sizeof number);
  const size_t at = payload_at(frame);
  for (size_t i = 0; i < bytes.size(); ++i) frame[at + i] = static_cast<char>(bytes[i] ^ mask[i % mask.size()]);
}

std::expected<std::unique_ptr<WebSocketPeer>, std::string> WebSocketPeer::open(uint16_t port, const std::string& path,
                                                                               Options options) {
  std::expected<UniqueFd, std::string> fd = connect_to(port, options);
  if (!fd) return std::unexpected(fd.error());
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + std::string(key) +
      "\r\nSec-WebSocket-Version: 13\r\n\r\n";
  if (::send(fd->get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return std::unexpected(last_error("the request of the handshake"));
  const std::expected<std::string, std::string> head = read_head(fd->get());
  if (!head) return std::unexpected(head.error());
  if (!head->starts_with("HTTP/1.1 101 ") || !head->contains(accept_of_key))
    return std::unexpected("the handshake is refused: " + *head);
  fcntl(fd->get(), F_SETFL, fcntl(fd->get(), F_GETFL) | O_NONBLOCK);
  return std::unique_ptr<WebSocketPeer>(new WebSocketPeer(std::move(*fd)));
}

bool WebSocketPeer::watch(int epoll, void* data) {
  epoll_ = epoll;
  data_ = data;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = data_}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_.get(), &event) == 0;
}

bool WebSocketPeer::send(std::string_view frame) {
  if (!unsent_.empty()) {
    unsent_.append(frame);
    return true;
  }
  ssize_t sent = ::send(fd_.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(frame.size())) return true;
  if (sent < 0 && errno != EAGAIN) return false;
  unsent_.assign(frame.substr(sent < 0 ? 0 : static_cast<size_t>(sent)));
  return wait_for_room(true);
}

bool WebSocketPeer::send_unsent() {
  const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN;
  unsent_.erase(0, static_cast<size_t>(sent));
  return !unsent_.empty() || wait_for_room(false);
}

bool WebSocketPeer::wait_for_room(bool wanted) {
  epoll_event event{.events = EPOLLIN | (wanted ? uint32_t{EPOLLOUT} : 0u), .data = {.ptr = data_}};
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_.get(), &event) == 0;
}

std::optional<std::string_view> WebSocketPeer::read(ReadBuffer& buffer) {
  const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  return std::string_view(buffer.data(), count < 0 ? 0 : static_cast<size_t>(count));
}

WebSocketPeer::Taken WebSocketPeer::take_frame(std::string_view& bytes, std::string_view& message) {
  if (bytes.size() < 2) return Taken::nothing;
  const auto byte = [&bytes](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t short_length = byte(1);  // a server's frame has no mask bit
  const size_t head = short_length < 126 ? 2 : short_length == 126 ? 4 : 10;
  if (bytes.size() < head) return Taken::nothing;
  uint64_t length = head == 2 ? short_length : 0;
  for (size_t i = 2; i < head; ++i) length = length << 8 | byte(i);
  if (bytes.size() - head < length) return Taken::nothing;
  const uint8_t first = byte(0);
  const std::string_view payload = bytes.substr(head, length);
  bytes.remove_prefix(head + length);
  if (first == (0x80 | binary)) {
    message = payload;
    return Taken::message;
  }
  if (first == (0x80 | ping) && send(masked_frame(pong, payload))) return Taken::control;
  return Taken::bad;
}

}  // namespace cweb::bench
