#include "server/socket_directory.h"

#include <algorithm>
#include <array>
#include <mutex>

namespace cweb::server {
namespace {

struct Shown {
  const websocket* handle = nullptr;
  http_request* request = nullptr;
};
thread_local Shown shown;

/// What this thread was told of last, so that the texts stay where they are when their sockets go meanwhile.
struct Lent {
  static constexpr size_t most = 16;
  std::array<std::shared_ptr<const WebSocket::Opening>, most> openings;
  size_t last = 0;
};
thread_local Lent lent;

const WebSocket::Opening& lend(const std::shared_ptr<const WebSocket::Opening>& opening) {
  // Mostly several texts of one socket are asked for.
  if (lent.openings[lent.last] != opening) {
    lent.last = (lent.last + 1) % Lent::most;
    lent.openings[lent.last] = opening;
  }
  return *opening;
}

}  // namespace

SocketDirectory::SocketDirectory() {
  runtime::set_websocket_host(this);
}

SocketDirectory::~SocketDirectory() {
  runtime::set_websocket_host(nullptr);
}

bool SocketDirectory::add(const std::shared_ptr<WebSocket>& socket, int client_fd) {
  socket->handle = handles_.take(socket, socket->opening.id, client_fd);
  if (socket->handle == nullptr) return false;
  const std::unique_lock lock(mutex_);
  by_path_[socket->opening.path].emplace(socket->opening.id, socket);
  return true;
}

void SocketDirectory::leave(const WebSocket& socket) {
  const std::unique_lock lock(mutex_);
  const auto found = by_path_.find(socket.opening.path);
  if (found == by_path_.end()) return;
  found->second.erase(socket.opening.id);
  if (found->second.empty()) by_path_.erase(found);
}

void SocketDirectory::forget(WebSocket& socket) {
  leave(socket);
  if (socket.handle != nullptr) handles_.give_back(std::exchange(socket.handle, nullptr));
}

void SocketDirectory::show_request(const websocket* handle, http_request* request) {
  shown = {handle, request};
}

int SocketDirectory::send(const websocket* socket, Kind kind, std::string_view message) {
  const auto found = handles_.find(socket);
  return found ? found->send(kind, message) : -1;
}

int SocketDirectory::close(const websocket* socket, uint16_t code, std::string_view reason) {
  const auto found = handles_.find(socket);
  return found ? found->close(code, reason) : -1;
}

int SocketDirectory::broadcast(std::string_view path, Kind kind, std::string_view message) {
  Broadcast frames(kind, message);
  int reached = 0;
  const std::shared_lock lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return 0;
  for (const auto& [id, socket] : found->second) reached += socket->send(frames) == 0 ? 1 : 0;
  return reached;
}

int SocketDirectory::count(std::string_view path) {
  const std::shared_lock lock(mutex_);
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? 0 : static_cast<int>(found->second.size());
}

websocket* SocketDirectory::next(std::string_view path, const websocket* previous) {
  const uint64_t behind = previous == nullptr ? 0 : handles_.id_of(previous);
  const std::shared_lock lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  const auto next = found->second.upper_bound(behind);
  return next == found->second.end() ? nullptr : next->second->handle;
}

void SocketDirectory::set_data(const websocket* socket, void* data) {
  if (const auto found = handles_.find(socket)) found->set_data(data);
}

void* SocketDirectory::data(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? found->data() : nullptr;
}

bool SocketDirectory::is_binary(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found && found->is_binary();
}

const char* SocketDirectory::path(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? lend(found->shared_opening).path.c_str() : "";
}

const char* SocketDirectory::protocol(const websocket* socket) {
  const auto found = handles_.find(socket);
  return found ? lend(found->shared_opening).agreement.protocol.c_str() : "";
}

const char* SocketDirectory::param(const websocket* socket, const char* name) {
  const auto found = handles_.find(socket);
  if (!found) return nullptr;
  const auto& params = lend(found->shared_opening).params;
  const auto param = std::ranges::find(params, name, &std::pair<std::string, std::string>::first);
  return param == params.end() ? nullptr : param->second.c_str();
}

http_request* SocketDirectory::request(const websocket* socket) {
  return shown.handle == socket ? shown.request : nullptr;
}

}  // namespace cweb::server
